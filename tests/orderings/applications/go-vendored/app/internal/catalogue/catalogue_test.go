package catalogue

import (
	"strings"
	"testing"
)

func TestReadPrices(t *testing.T) {
	read, err := Read(strings.NewReader(`{"tea": 350}`))
	if err != nil || read["tea"] != 350 {
		t.Fatalf("got %v, %v", read, err)
	}
}
