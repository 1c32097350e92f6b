package config

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/parley-im/parley/chat"
)

// Secret is a string that does not show itself: fmt, slog, YAML and JSON print
// "redacted". Convert it to string to use it.
type Secret string

const redacted = "redacted"

// String is "redacted", or empty for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format keeps every verb, %#v and %x included, from printing the secret.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue is what a log line holds.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalYAML is what a printed configuration holds.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// MarshalText is what JSON holds.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseApp reads "ID:SECRET". The error does not repeat the text, which may
// hold a secret.
func ParseApp(text string) (App, error) {
	id, secret, found := strings.Cut(text, ":")
	n, err := strconv.ParseUint(id, 10, 32)
	if !found || err != nil || n == 0 || secret == "" {
		return App{}, fmt.Errorf("an app is written ID:SECRET, the ID a number from 1 to %d", uint32(1<<32-1))
	}
	return App{ID: chat.AppID(n), Secret: Secret(secret)}, nil
}
