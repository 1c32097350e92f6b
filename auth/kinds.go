package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Kind names a kind of token that an app may accept.
type Kind string

// The kinds, safest first. A token04 is one of two forms under one prefix: GCM
// proves that the app's back end wrote it; CBC only hides what it says.
const (
	// KindJWT is a JWT, signed by EdDSA with one of the app's keys or by HS256.
	KindJWT Kind = "jwt"
	// Kind04GCM is a token04 in AES-256-GCM.
	Kind04GCM Kind = "token04-gcm"
	// Kind04CBC is a token04 in AES-256-CBC whose plaintext begins with the app
	// ID. Its holder can change the first 16 bytes of the plaintext at will, which
	// then hold nothing that matters.
	Kind04CBC Kind = "token04-cbc"
	// Kind04CBCAnyOrder is a token04 in AES-256-CBC with its fields in any order.
	// Where the user ID comes first, a holder can make his token another user's.
	Kind04CBCAnyOrder Kind = "token04-cbc-any-order"
)

// Kinds are all kinds, safest first.
func Kinds() []Kind { return []Kind{KindJWT, Kind04GCM, Kind04CBC, Kind04CBCAnyOrder} }

// DefaultKinds are those of an app that names none: all that are authenticated.
func DefaultKinds() []Kind { return []Kind{KindJWT, Kind04GCM} }

// accepts says whether the app takes tokens of a kind.
func (a App) accepts(k Kind) bool {
	if a.Tokens == nil {
		return slices.Contains(DefaultKinds(), k)
	}
	return slices.Contains(a.Tokens, k)
}

// AcceptsCBC says whether the app takes tokens without a MAC.
func (a App) AcceptsCBC() bool { return a.accepts(Kind04CBC) || a.accepts(Kind04CBCAnyOrder) }

// hmacSecret is what checks HS256 tokens; "" where none is.
func (a App) hmacSecret() string {
	if a.JWTSecret == "" && !a.AcceptsCBC() {
		return a.Secret
	}
	return a.JWTSecret
}

// checkKinds says what is wrong with the kinds of an app whose secrets and keys
// are good by themselves.
func (a App) checkKinds() error {
	if a.Tokens != nil && len(a.Tokens) == 0 {
		return fmt.Errorf("app %d accepts no token; leave tokens out for %s", a.ID, words(DefaultKinds()))
	}
	for _, k := range a.Tokens {
		switch {
		case !slices.Contains(Kinds(), k):
			return fmt.Errorf("app %d accepts tokens of the kind %q; %s are allowed", a.ID, k, words(Kinds()))
		case k == KindJWT && a.hmacSecret() == "" && len(a.Keys) == 0 && a.AcceptsCBC():
			return fmt.Errorf("app %d accepts %s, and token04 without a MAC under its secret; HS256 needs a secret of its own then: set jwt_secret, or a key for EdDSA", a.ID, KindJWT)
		case k != KindJWT && a.Secret == "":
			return fmt.Errorf("app %d accepts %s and has no secret; give one of %d characters", a.ID, k, SecretBytes)
		}
	}
	return nil
}

func words(kinds []Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}
