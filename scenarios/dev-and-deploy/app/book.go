package main

import (
	"errors"
	"strings"
	"sync"
)

const longest = 280 // characters of one entry

var (
	errEmpty = errors.New("an entry needs a name and a text")
	errLong  = errors.New("an entry has at most 280 characters")
)

// entry is what one visitor wrote.
type entry struct {
	Name string
	Text string
}

// book keeps the newest entries; it is safe for use by many requests at once.
type book struct {
	mu      sync.RWMutex
	limit   int
	entries []entry // oldest first
}

func newBook(limit int) *book {
	return &book{limit: limit}
}

// add takes an entry, and drops the oldest one if the book is full.
func (b *book) add(e entry) error {
	e = entry{Name: strings.TrimSpace(e.Name), Text: strings.TrimSpace(e.Text)}
	if e.Name == "" || e.Text == "" {
		return errEmpty
	}
	if len([]rune(e.Text)) > longest {
		return errLong
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
	if len(b.entries) > b.limit {
		b.entries = b.entries[1:]
	}
	return nil
}

// newest gives a copy of the entries, newest first.
func (b *book) newest() []entry {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := make([]entry, 0, len(b.entries))
	for i := len(b.entries) - 1; i >= 0; i-- {
		found = append(found, b.entries[i])
	}
	return found
}
