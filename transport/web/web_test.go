package web

import (
	"archive/tar"
	"bytes"
	stdgzip "compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ask sends a request with headers given as pairs.
func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everything is what the handlers serve: each file of the page and of the SDK, but for the package, which is
// compressed itself.
func everything() map[string]http.Handler {
	all := make(map[string]http.Handler)
	for name := range load("dist") {
		all["/"+name] = Handler()
	}
	for name := range load("sdk") {
		if !strings.HasSuffix(name, ".tgz") {
			all["/sdk/"+name] = SDK()
		}
	}
	return all
}

func TestEverythingIsServedCompressed(t *testing.T) {
	for target, h := range everything() {
		plain := ask(h, "GET", target)
		content := body(t, plain)
		if enc := plain.Header.Get("Content-Encoding"); enc != "" || len(content) == 0 {
			t.Errorf("%s: a client that takes no coding got %q and %d bytes", target, enc, len(content))
		}
		zipped := ask(h, "GET", target, "Accept-Encoding", "gzip, deflate")
		r, err := stdgzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if expanded, err := io.ReadAll(r); err != nil || !bytes.Equal(expanded, content) {
			t.Errorf("%s: gzip expands to something else (%v)", target, err)
		}
		small := ask(h, "GET", target, "Accept-Encoding", "gzip, deflate, br, zstd")
		if enc, n := small.Header.Get("Content-Encoding"), len(body(t, small)); enc != "br" || n > len(content) {
			t.Errorf("%s: %q, %d bytes of %d", target, enc, n, len(content))
		}
		for _, res := range []*http.Response{plain, zipped, small} {
			if res.Header.Get("Vary") != "Accept-Encoding" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", target, res.Header)
			}
		}
		if plain.Header.Get("ETag") == small.Header.Get("ETag") || zipped.Header.Get("ETag") == small.Header.Get("ETag") {
			t.Errorf("%s: two representations share an ETag", target)
		}
	}
}

func TestAcceptEncodingIsObeyed(t *testing.T) {
	for accept, want := range map[string]string{
		"":                        "",
		"identity":                "",
		"gzip":                    "gzip",
		"br;q=0, gzip":            "gzip",
		"BR":                      "br",
		"*":                       "br",
		"*;q=0":                   "",
		"br;q=0, *":               "gzip",
		"gzip;q=0.5, br;q=0.1":    "br",
		"gzip;q=oops":             "",
		"zstd, deflate":           "",
		" gzip ; q = 1 ,identity": "gzip",
	} {
		if got := ask(Handler(), "GET", "/", "Accept-Encoding", accept).Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q gives %q, want %q", accept, got, want)
		}
	}
}

func TestAssetsAreKeptForGoodAndOtherFilesAreValidated(t *testing.T) {
	hashed := regexp.MustCompile(`^/assets/.*-[\w-]{8}\.\w+$`)
	for target, h := range everything() {
		first := ask(h, "GET", target, "Accept-Encoding", "br")
		cache := first.Header.Get("Cache-Control")
		if strings.HasPrefix(target, "/assets/") {
			if !hashed.MatchString(target) || !strings.Contains(cache, "immutable") {
				t.Errorf("%s: Cache-Control %q", target, cache)
			}
		} else if cache != "no-cache" {
			t.Errorf("%s: Cache-Control %q", target, cache)
		}
		etag := first.Header.Get("ETag")
		again := ask(h, "GET", target, "Accept-Encoding", "br", "If-None-Match", etag)
		if again.StatusCode != http.StatusNotModified || len(body(t, again)) != 0 || again.Header.Get("ETag") != etag || again.Header.Get("Vary") == "" {
			t.Errorf("%s: asked again: %d %v", target, again.StatusCode, again.Header)
		}
		if other := ask(h, "GET", target, "If-None-Match", etag); other.StatusCode != http.StatusOK {
			t.Errorf("%s: the ETag of the brotli form validates the plain one: %d", target, other.StatusCode)
		}
	}
}

// What `npm install` fetches: the root of the package is package.json's.
func TestThePackageIsServed(t *testing.T) {
	res := ask(SDK(), "GET", "/sdk/parley-chat.tgz", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Type") != "application/gzip" || res.Header.Get("Content-Encoding") != "" || res.Header.Get("ETag") == "" {
		t.Errorf("%v", res.Header)
	}
	if again := ask(SDK(), "GET", "/sdk/parley-chat.tgz", "If-None-Match", res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", again.StatusCode)
	}
	unzipped, err := stdgzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		if content, err := io.ReadAll(archive); header.Name == "package/package.json" && (err != nil || bytes.Contains(content, []byte("devDependencies"))) {
			t.Errorf("%v\n%s", err, content)
		}
		if header.Uid != 0 || header.Uname != "" || header.ModTime.Year() != 1985 || header.Mode != 0o644 {
			t.Errorf("%s tells of the machine that has packed it: %+v", header.Name, header)
		}
	}
	for _, want := range []string{"package/package.json", "package/LICENSE", "package/README.md", "package/dist/zim.js", "package/dist/zim.cjs", "package/dist/zim.d.ts", "package/dist/zim.d.cts", "package/dist/core.js", "package/dist/core.cjs"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing in %v", want, names)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
}

func TestHeadAndRanges(t *testing.T) {
	for _, coding := range []string{"identity", "gzip", "br"} {
		whole := ask(SDK(), "GET", "/sdk/zim.js", "Accept-Encoding", coding)
		content := body(t, whole)
		head := ask(SDK(), "HEAD", "/sdk/zim.js", "Accept-Encoding", coding)
		if n := head.Header.Get("Content-Length"); n != strconv.Itoa(len(content)) || len(body(t, head)) != 0 {
			t.Errorf("%s: HEAD says %s bytes, GET gives %d", coding, n, len(content))
		}
		part := ask(SDK(), "GET", "/sdk/zim.js", "Accept-Encoding", coding, "Range", "bytes=100-199", "If-Range", whole.Header.Get("ETag"))
		if part.StatusCode != http.StatusPartialContent || !bytes.Equal(body(t, part), content[100:200]) {
			t.Errorf("%s: the range gives %d %v", coding, part.StatusCode, part.Header)
		}
		stale := ask(SDK(), "GET", "/sdk/zim.js", "Accept-Encoding", coding, "Range", "bytes=100-199", "If-Range", `"older"`)
		if stale.StatusCode != http.StatusOK || !bytes.Equal(body(t, stale), content) {
			t.Errorf("%s: a range of an older file gives %d", coding, stale.StatusCode)
		}
	}
}

func TestAPathWithoutAFileIsNotFoundAsJSON(t *testing.T) {
	for _, target := range []string{"/api/typo", "/assets/app.js", "/assets", "/index", "/index.html.br", "/cluster/x", "/sdk", "/%2e%2e/web.go"} {
		res := ask(Handler(), "GET", target, "Accept-Encoding", "br")
		var problem struct {
			Code    int
			Message string
		}
		if err := json.NewDecoder(res.Body).Decode(&problem); err != nil || res.StatusCode != http.StatusNotFound || problem.Code == 0 || problem.Message == "" {
			t.Errorf("%s: %d %v %+v", target, res.StatusCode, err, problem)
		}
		if ct := res.Header.Get("Content-Type"); ct != "application/json; charset=utf-8" || res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", target, res.Header)
		}
	}
	if res := ask(SDK(), "GET", "/sdk/zim.cjs"); res.StatusCode != http.StatusNotFound {
		t.Errorf("/sdk/zim.cjs: %d", res.StatusCode)
	}
	if res := ask(Handler(), "POST", "/"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", res.StatusCode, res.Header)
	}
}

func TestThePageIsServedForItsViewsOnly(t *testing.T) {
	index := body(t, ask(Handler(), "GET", "/"))
	for _, target := range []string{"/?user=alice", "/cluster", "/index.html"} {
		if res := ask(Handler(), "GET", target); res.StatusCode != http.StatusOK || !bytes.Equal(body(t, res), index) {
			t.Errorf("%s: %d", target, res.StatusCode)
		}
	}
}

// Behind a proxy that serves the page under a path nothing may start at the root.
func TestThePageNamesItsFilesRelatively(t *testing.T) {
	index := string(body(t, ask(Handler(), "GET", "/")))
	found := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(index, -1)
	if len(found) < 3 {
		t.Fatalf("the page names %d files", len(found))
	}
	for _, match := range found {
		if res := ask(Handler(), "GET", strings.TrimPrefix(match[1], ".")); !strings.HasPrefix(match[1], "./") || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", match[1], res.StatusCode)
		}
	}
}

func TestThePolicyLetsTheOwnScriptsRunAndNoOthers(t *testing.T) {
	policy := ask(Handler(), "GET", "/").Header.Get("Content-Security-Policy")
	for _, want := range []string{"script-src 'self' 'sha256-", "connect-src 'self' ws: wss:;", "img-src 'self' data: blob: http: https:;", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q is not in %q", want, policy)
		}
	}
	if strings.Contains(strings.Split(policy, "style-src")[0], "unsafe") {
		t.Errorf("the policy lets foreign code run: %q", policy)
	}
}
