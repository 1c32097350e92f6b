package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/transport/source"
)

// LoopbackOnly lets in what was asked of this machine by one of its own names.
// A page of another site can have its name point to 127.0.0.1 (DNS rebinding);
// to the browser what listens there is then that site's own.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !source.Loopback(r.Host) {
			answer(w, http.StatusMisdirectedRequest, Problem{chat.CodeInvalidParam, "this port serves this machine only: ask for localhost or 127.0.0.1"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Bearer lets in who bears the token; nobody when it is empty. Digests are
// compared, so that the time tells nothing of the token's length either.
func Bearer(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if token == "" || !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, Problem{chat.CodeTokenInvalid, "the admin token is missing or wrong: send Authorization: Bearer TOKEN"})
			return
		}
		next.ServeHTTP(w, r)
	})
}
