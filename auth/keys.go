package auth

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// ParsePublicKey reads an Ed25519 public key: PEM ("PUBLIC KEY", as openssl
// writes it) or the 32 bytes in base64, either alphabet, padded or not.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PEM block holds no public key")
		}
		pub, ok := key.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("the PEM block holds a public key of another kind; Ed25519 is allowed")
		}
		return pub, nil
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("an Ed25519 public key is PEM or the base64 of 32 bytes")
	}
	return raw, nil
}
