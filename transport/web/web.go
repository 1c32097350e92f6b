// Package web holds the built chat page and SDK, and serves them: the page at
// / and /cluster, the SDK at /sdk/, also as a package for npm. Both are committed, with what brotli and
// gzip make of them, so that `go run` needs nothing but Go; `make generate`
// rebuilds them. Nothing here blocks.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/parley-im/parley/chat"
)

//go:embed all:dist all:sdk
var files embed.FS

// How long browsers keep what they got. A file under assets/ has a hash of its
// content in its name; everything else keeps its name and is asked for again.
const (
	forever    = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// Handler serves the page. A path that names neither a view of the page nor a
// file is not found: an API client that mistypes a path must not get HTML.
func Handler() http.Handler {
	page := load("dist")
	index := page["index.html"]
	page[""], page["cluster"] = index, index
	policy := contentSecurity(index.bodies[identity])
	return handler{files: page, header: func(h http.Header, name string) {
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		if strings.HasPrefix(name, "assets/") {
			h.Set("Cache-Control", forever)
		}
	}}
}

// SDK serves the files of the SDK, such as /sdk/zim.js, to pages of any origin.
func SDK() http.Handler {
	return http.StripPrefix("/sdk", handler{files: load("sdk"), header: func(h http.Header, _ string) {
		h.Set("Access-Control-Allow-Origin", "*")
	}})
}

// handler serves files by their path; header adds what a found one carries.
type handler struct {
	files  map[string]*file
	header func(h http.Header, name string)
}

func (s handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", revalidate)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are served at "+r.URL.Path)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, ok := s.files[name]
	if !ok {
		refuse(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
		return
	}
	s.header(h, name)
	f.serve(w, r)
}

// refuse answers as the HTTP API does.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Code    chat.Code `json:"code"`
		Message string    `json:"message"`
	}{chat.CodeInvalidParam, message})
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// contentSecurity lets the page load what the node serves, open sockets to
// any node of the cluster, show avatars from where apps keep them, and run no
// code of others. Its own inline script, which sets the theme before the first
// paint, is named by its hash.
func contentSecurity(index []byte) string {
	scripts := "'self'"
	for _, script := range inlineScript.FindAllSubmatch(index, -1) {
		sum := sha256.Sum256(script[1])
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'self'; script-src " + scripts + "; connect-src 'self' ws: wss:; img-src 'self' data: blob: http: https:; " +
		"style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
}
