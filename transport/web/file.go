package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Content codings that a file may be stored in, the smallest first.
const (
	brotli   = "br"
	gzip     = "gzip"
	identity = "identity"
)

var suffixes = map[string]string{brotli: ".br", gzip: ".gz", identity: ""}

// file is one embedded file in all the codings that are stored of it.
type file struct {
	contentType string
	hash        string            // of the uncompressed content
	bodies      map[string][]byte // by content coding; identity is always there
}

// load reads a folder of the embedded files, by path within it.
func load(dir string) map[string]*file {
	found := make(map[string]*file)
	err := fs.WalkDir(files, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			return err
		}
		f := &file{contentType: contentTypeOf(name), bodies: make(map[string][]byte)}
		for coding, suffix := range suffixes {
			if body, err := files.ReadFile(name + suffix); err == nil {
				f.bodies[coding] = body
			}
		}
		sum := sha256.Sum256(f.bodies[identity])
		f.hash = hex.EncodeToString(sum[:12])
		found[strings.TrimPrefix(name, dir+"/")] = f
		return nil
	})
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded
	}
	return found
}

// contentTypeOf does not depend on the machine's table of types for what is served here.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".tgz":
		return "application/gzip"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// serve answers GET and HEAD, conditions and ranges, in the best coding that
// the client takes. Each coding is a representation with an ETag of its own.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	coding := f.choose(r.Header.Values("Accept-Encoding"))
	body := f.bodies[coding]
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	if len(f.bodies) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	h.Set("ETag", `"`+f.hash+`-`+coding+`"`)
	if coding != identity {
		h.Set("Content-Encoding", coding)
		h.Set("Content-Length", strconv.Itoa(len(body))) // ServeContent leaves it out of encoded answers
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// choose picks the smallest stored coding among those that Accept-Encoding
// allows; identity when it allows none of the others.
func (f *file) choose(accept []string) string {
	allowed := make(map[string]bool)
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		allowed[strings.ToLower(strings.TrimSpace(coding))] = weight(params) > 0
	}
	for _, coding := range []string{brotli, gzip} {
		ok, named := allowed[coding]
		if !named {
			ok = allowed["*"]
		}
		if _, stored := f.bodies[coding]; ok && stored {
			return coding
		}
	}
	return identity
}

// weight reads the q of a coding; 1 when there is none, 0 when it cannot be read.
func weight(params string) float64 {
	key, value, found := strings.Cut(params, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(key), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
