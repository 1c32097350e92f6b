// Package web holds the built chat page and SDK, and serves them: the page at
// /, the SDK at /sdk/. Both are committed, so that `go run` needs nothing but
// Go; `make generate` rebuilds them. Nothing here blocks.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist all:sdk
var files embed.FS

// contentSecurity lets the page load what the node serves, talk to any node,
// and run no code of others.
const contentSecurity = "default-src 'self'; connect-src 'self' http: https: ws: wss:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'self'"

// Handler serves the page for every path that is no file, so that the address
// bar may name a conversation.
func Handler() http.Handler {
	page := sub("dist")
	server := http.FileServerFS(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "only GET is served here", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurity)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "index.html" || name != "" && !exists(page, name) {
			r = r.Clone(r.Context())
			r.URL.Path = "/"
		}
		server.ServeHTTP(w, r)
	})
}

// SDK serves /sdk/zim.js and /sdk/zim.iife.js to pages of any origin.
func SDK() http.Handler {
	server := http.StripPrefix("/sdk/", http.FileServerFS(sub("sdk")))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, r)
	})
}

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded above
	}
	return f
}

func exists(f fs.FS, name string) bool {
	info, err := fs.Stat(f, name)
	return err == nil && !info.IsDir()
}
