// Command server shows the image of the day on one page and reports every visit to the access log.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const revision = "working copy"

// image is what the image service answers.
type image struct {
	Date   string `json:"date"`
	Title  string `json:"title"`
	URL    string `json:"url"`
	Credit string `json:"credit"`
}

// visit is what the access log takes.
type visit struct {
	ClientIP string `json:"clientIp"`
}

// page is what index.html shows. Problem is empty when there is an image.
type page struct {
	Image   image
	Problem string
}

// gallery answers every request with the page. The two services it talks to come from the
// environment, so the same image runs wherever they live.
type gallery struct {
	imageURL  string
	accessURL string
	client    *http.Client
	page      *template.Template
}

func (g gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := g.report(visit{ClientIP: clientIP(r)}); err != nil {
		log.Printf("visit not logged: %v", err) // the visitor need not care
	}
	shown := page{}
	found, err := g.imageOfTheDay()
	if err != nil {
		log.Printf("no image: %v", err)
		shown.Problem = "The image of the day cannot be reached."
		w.WriteHeader(http.StatusBadGateway)
	}
	shown.Image = found
	if err := g.page.Execute(w, shown); err != nil {
		log.Printf("page not sent: %v", err)
	}
}

func (g gallery) imageOfTheDay() (image, error) {
	answer, err := g.client.Get(g.imageURL)
	if err != nil {
		return image{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return image{}, fmt.Errorf("%s answered %s", g.imageURL, answer.Status)
	}
	var found image
	err = json.NewDecoder(answer.Body).Decode(&found)
	return found, err
}

func (g gallery) report(v visit) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	answer, err := g.client.Post(g.accessURL, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answered %s", g.accessURL, answer.Status)
	}
	return nil
}

func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func main() {
	g := gallery{
		imageURL:  os.Getenv("IMAGE_API_URL"),
		accessURL: os.Getenv("ACCESS_API_URL"),
		client:    &http.Client{Timeout: 3 * time.Second},
		page:      template.Must(template.ParseFiles("index.html")),
	}
	log.Printf("gallery (%s) listens on port 80; images from %s, visits to %s",
		revision, g.imageURL, g.accessURL)
	log.Fatal(http.ListenAndServe(":80", g))
}
