package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
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

// ParseApp reads "ID:SECRET", or "ID:@FILE" for a secret in a file. The error
// does not repeat the text, which may hold a secret.
func ParseApp(text string) (App, error) {
	id, secret, found := strings.Cut(text, ":")
	n, err := strconv.ParseUint(id, 10, 32)
	if !found || err != nil || n == 0 || secret == "" {
		return App{}, fmt.Errorf("an app is written ID:@FILE or ID:SECRET, the ID a number from 1 to %d", uint32(1<<32-1))
	}
	if file, ok := strings.CutPrefix(secret, "@"); ok {
		return App{ID: chat.AppID(n), SecretFile: file}, nil
	}
	return App{ID: chat.AppID(n), Secret: Secret(secret)}, nil
}

// ReadSecrets reads the secrets that are in files of their own.
func (c *Config) ReadSecrets() error {
	for i := range c.Apps {
		if err := readSecret(&c.Apps[i].Secret, c.Apps[i].SecretFile); err != nil {
			return fmt.Errorf("the secret of app %d: %w", c.Apps[i].ID, err)
		}
	}
	if err := readSecret(&c.Cluster.GossipKey, c.Cluster.GossipKeyFile); err != nil {
		return fmt.Errorf("the gossip key: %w", err)
	}
	return nil
}

// readSecret reads a file of one line, if there is one.
func readSecret(to *Secret, file string) error {
	if file == "" {
		return nil
	}
	if *to != "" {
		return fmt.Errorf("it is given twice, as itself and in %s", file)
	}
	text, err := ReadFile(file)
	if err == nil {
		*to = Secret(strings.TrimSpace(string(text)))
	}
	return err
}

// maxFile bounds a file of settings or with a secret.
const maxFile = 1 << 20

// ReadFile reads a file of settings or with a secret, and no more than such a one
// has: the name may be wrong, that of a device for instance.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return text, err
}
