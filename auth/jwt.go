package auth

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/chat"
)

// The claims of a JWT that Parley reads: iss is the app ID in decimal, sub the
// user ID, exp is required, nbf is kept to, iat and all others are not read.

// jwtParser verifies signatures only; Claims.check and notYet judge the content,
// in the same order and with the same codes as for a token04.
var jwtParser = jwt.NewParser(
	jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg(), jwt.SigningMethodEdDSA.Alg()}),
	jwt.WithStrictDecoding(),
	jwt.WithoutClaimsValidation(),
)

// readJWT checks the signature with the app's keys.
func readJWT(token string, a App, now time.Time) (Claims, error) {
	if !a.accepts(KindJWT) {
		return Claims{}, invalid("app %d takes no JWT", a.ID)
	}
	var claims jwt.RegisteredClaims
	t, err := jwtParser.ParseWithClaims(token, &claims, a.keyFor)
	if err != nil {
		return Claims{}, invalid("the token is no JWT of this app: %w", err)
	}
	if _, ok := t.Header["crit"]; ok {
		return Claims{}, invalid("the token demands extensions (crit) that are not supported")
	}
	if claims.ExpiresAt == nil {
		return Claims{}, invalid("the token has no exp claim")
	}
	if claims.NotBefore != nil && claims.NotBefore.Sub(now) > clockLeeway {
		return Claims{}, chat.Errorf(chat.CodeLoginRefused, opLogin, "the token is not valid yet")
	}
	return Claims{AppID: appOf(claims.Issuer), UserID: claims.Subject, ExpiresAt: claims.ExpiresAt.Time}, nil
}

// appOf is the app of an issuer, 0 when it is none. One that is written in another
// way than the decimal is another issuer.
func appOf(issuer string) chat.AppID {
	id, err := strconv.ParseUint(issuer, 10, 32)
	if err != nil || strconv.FormatUint(id, 10) != issuer {
		return 0
	}
	return chat.AppID(id)
}

// issuer is the app whose keys a token asks to be checked with, 0 when it does not
// say. Nothing is verified by it.
func issuer(token string) chat.AppID {
	var claims jwt.RegisteredClaims
	if len(token) > MaxTokenBytes || strings.Count(token, ".") != 2 {
		return 0
	}
	if _, _, err := jwtParser.ParseUnverified(token, &claims); err != nil {
		return 0
	}
	return appOf(claims.Issuer)
}

// keyFor picks the key by the kind that the algorithm needs, so that a public
// key is never used as an HMAC secret.
func (a App) keyFor(t *jwt.Token) (any, error) {
	switch {
	case t.Method == jwt.SigningMethodHS256 && a.hmacSecret() != "":
		return []byte(a.hmacSecret()), nil
	case t.Method == jwt.SigningMethodEdDSA && len(a.Keys) > 0:
		var set jwt.VerificationKeySet
		for _, k := range a.Keys {
			set.Keys = append(set.Keys, k)
		}
		return set, nil
	}
	return nil, fmt.Errorf("app %d has no key for %s", a.ID, t.Method.Alg())
}

// GenerateJWT makes an HS256 token under a secret of SecretBytes or more that ends ttl from now, in whole seconds.
// Errors are CodeInvalidParam.
func GenerateJWT(app chat.AppID, user, secret string, ttl time.Duration, now time.Time) (string, error) {
	if err := checkCreate(app, user, secret, ttl); err != nil {
		return "", err
	}
	now = now.Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer:    strconv.FormatUint(uint64(app), 10),
		Subject:   user,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	})
	signed, err := t.SignedString([]byte(secret))
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "sign: %w", err)
	}
	return signed, nil
}
