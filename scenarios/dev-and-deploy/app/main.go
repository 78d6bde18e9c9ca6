// Command guestbook keeps what its visitors write, in memory, and shows it on one page.
package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
)

const revision = "working copy"

func main() {
	page, err := template.ParseFiles("page.html")
	if err != nil {
		log.Fatal(err)
	}
	address := os.Getenv("GUESTBOOK_ADDRESS")
	log.Printf("guestbook (%s) listens on %s", revision, address)
	log.Fatal(http.ListenAndServe(address, newHandler(newBook(100), page)))
}
