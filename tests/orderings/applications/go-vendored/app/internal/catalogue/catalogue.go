// Package catalogue knows what everything costs.
package catalogue

import (
	"encoding/json"
	"io"
)

// Catalogue holds the price of every article in cents.
type Catalogue map[string]int

// Read reads a catalogue from JSON.
func Read(from io.Reader) (Catalogue, error) {
	var read Catalogue
	err := json.NewDecoder(from).Decode(&read)
	return read, err
}
