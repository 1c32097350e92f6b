package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/parley-im/parley/chat"
)

// Bounds of a token request.
const (
	maxTokenRequest = 4 << 10
	defaultTTL      = 86_400
	maxTTL          = 24 * 86_400
)

// Dev hands out tokens.
type Dev struct {
	AppID chat.AppID
	Users []DevUser
	// Token registers the user and makes a token.
	Token func(ctx context.Context, user DevUser, ttlSeconds int64) (string, error)
}

// DevUser is a demo user.
type DevUser struct {
	UserID   string `json:"userID"`
	UserName string `json:"userName"`
}

// Register adds the routes to a mux.
func (d *Dev) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /dev/users", d.users)
	mux.HandleFunc("POST /dev/token", d.token)
}

func (d *Dev) users(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"appID": d.AppID, "users": d.Users})
}

// token answers {"appID","token"}. It needs a JSON content type, which a page
// of another origin cannot send without asking first, and it is never asked:
// there is no CORS here.
func (d *Dev) token(w http.ResponseWriter, r *http.Request) {
	user, ttl, err := readTokenRequest(http.MaxBytesReader(w, r.Body, maxTokenRequest), r.Header.Get("Content-Type"))
	var token string
	if err == nil {
		token, err = d.Token(r.Context(), user, ttl)
	}
	if err != nil {
		e := chat.AsError("token", err)
		refuse(w, e.Code, e.Sentence())
		return
	}
	answer(w, http.StatusOK, map[string]any{"appID": d.AppID, "token": token})
}

func readTokenRequest(body io.Reader, contentType string) (user DevUser, ttl int64, err error) {
	if !isJSON(contentType) {
		return user, 0, chat.Errorf(chat.CodeInvalidParam, "token", `the content type must be application/json`)
	}
	var in struct {
		DevUser
		TTLSeconds *int64 `json:"ttlSeconds"`
	}
	dec := json.NewDecoder(body)
	if err := dec.Decode(&in); err != nil {
		return user, 0, chat.Errorf(chat.CodeInvalidParam, "token", `the body must be JSON like {"userID":"alice"}`)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return user, 0, chat.Errorf(chat.CodeInvalidParam, "token", "the body holds more than one JSON value")
	}
	ttl = defaultTTL
	if in.TTLSeconds != nil {
		ttl = *in.TTLSeconds
	}
	if ttl < 1 || ttl > maxTTL {
		return user, 0, chat.Errorf(chat.CodeInvalidParam, "token", "ttlSeconds is %d; 1 to %d are allowed", ttl, maxTTL)
	}
	if err := chat.CheckUserID("token", in.UserID); err != nil {
		return user, 0, err
	}
	return in.DevUser, ttl, chat.CheckProfile("token", in.UserName, "")
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}
