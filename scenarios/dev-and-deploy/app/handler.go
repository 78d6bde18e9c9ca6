package main

import (
	"html/template"
	"log"
	"net/http"
)

// newHandler shows the book on GET / and takes an entry on POST /.
func newHandler(b *book, page *template.Template) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/":
			http.NotFound(w, r)
		case r.Method == http.MethodGet:
			if err := page.Execute(w, b.newest()); err != nil {
				log.Printf("page not sent: %v", err)
			}
		case r.Method == http.MethodPost:
			sign(w, r, b)
		default:
			w.Header().Set("Allow", "GET, POST")
			http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
		}
	})
	return mux
}

func sign(w http.ResponseWriter, r *http.Request, b *book) {
	if err := b.add(entry{Name: r.FormValue("name"), Text: r.FormValue("text")}); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
