// Command prices answers what an article costs.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"example.com/money"
	"example.com/prices/internal/catalogue"
)

var version = "dev"

const release = "working copy"

func main() {
	path := flag.String("catalogue", "config/catalogue.json", "file with the prices")
	flag.Parse()
	file, err := os.Open(*path)
	if err != nil {
		log.Fatal(err)
	}
	prices, err := catalogue.Read(file)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok", version, release)
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		cents, known := prices[strings.TrimPrefix(r.URL.Path, "/")]
		if !known {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, money.Format(cents))
	})
	log.Fatal(http.ListenAndServe(os.Getenv("PRICES_ADDR"), nil))
}
