package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

// UserTokens authenticates users by the tokens that they log in with.
type UserTokens struct {
	Verifier func() *auth.Verifier
	Now      func() time.Time
}

// Authenticate reads Authorization: Bearer TOKEN, and Parley-App where the token
// does not tell the app.
func (u UserTokens) Authenticate(r *http.Request) (chat.UserKey, error) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return chat.UserKey{}, chat.Errorf(chat.CodeNotLoggedIn, "request", "a token is missing: send Authorization: Bearer TOKEN")
	}
	app, err := strconv.ParseUint(r.Header.Get("Parley-App"), 10, 32)
	if err != nil && r.Header.Get("Parley-App") != "" {
		return chat.UserKey{}, chat.Errorf(chat.CodeInvalidAppID, "request", "Parley-App is no app ID")
	}
	claims, err := u.Verifier().VerifyBearer(token, chat.AppID(app), u.Now())
	return chat.UserKey{App: claims.AppID, ID: claims.UserID}, err
}
