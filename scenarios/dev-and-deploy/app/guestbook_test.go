package main

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestNewestEntryComesFirstAndTheOldestGoes(t *testing.T) {
	b := newBook(2)
	for _, name := range []string{"Ada", "Bo", "Cy"} {
		if err := b.add(entry{Name: name, Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	found := b.newest()
	if len(found) != 2 || found[0].Name != "Cy" || found[1].Name != "Bo" {
		t.Errorf("want Cy, Bo; got %v", found)
	}
}

func TestEntriesThatAreRefused(t *testing.T) {
	refused := map[string]entry{
		"no name":  {Text: "hello"},
		"no text":  {Name: "Ada", Text: "  "},
		"too long": {Name: "Ada", Text: strings.Repeat("x", longest+1)},
	}
	for name, e := range refused {
		if err := newBook(1).add(e); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

func TestWhatIsWrittenIsShownEscaped(t *testing.T) {
	page := template.Must(template.ParseFiles("page.html"))
	handler := newHandler(newBook(10), page)

	form := url.Values{"name": {"Ada"}, "text": {"<b>hi</b>"}}
	post := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signed := httptest.NewRecorder()
	handler.ServeHTTP(signed, post)
	if signed.Code != http.StatusSeeOther {
		t.Fatalf("want a redirect, got %d", signed.Code)
	}

	shown := httptest.NewRecorder()
	handler.ServeHTTP(shown, httptest.NewRequest(http.MethodGet, "/", nil))
	if !strings.Contains(shown.Body.String(), "&lt;b&gt;hi&lt;/b&gt;") {
		t.Errorf("want the escaped text, got %s", shown.Body.String())
	}
}
