// Package money writes amounts the way people read them.
package money

import "fmt"

// Format returns an amount of cents as euros.
func Format(cents int) string {
	return fmt.Sprintf("%d.%02d €", cents/100, cents%100)
}
