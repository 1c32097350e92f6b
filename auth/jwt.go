package auth

import (
	"fmt"
	"strconv"
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
	c := Claims{UserID: claims.Subject, ExpiresAt: claims.ExpiresAt.Time}
	// An issuer written in another way than the decimal is another issuer.
	if id, err := strconv.ParseUint(claims.Issuer, 10, 32); err == nil && strconv.FormatUint(id, 10) == claims.Issuer {
		c.AppID = chat.AppID(id)
	}
	return c, nil
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
