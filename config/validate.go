package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/transport/source"
)

// maxShards follows from the two bytes that a shard takes in a stored key, of
// which 0 is the meta shard.
const maxShards = 1<<16 - 1

// Validate joins one error per problem, each a sentence that says what is wrong
// and what is allowed; nil when the configuration can be run.
func (c Config) Validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if _, port, err := net.SplitHostPort(c.Addr); err != nil || !validPort(port) {
		add("addr is %q; HOST:PORT with a port from 0 to 65535 is wanted", c.Addr)
	}
	if c.Data == "" {
		add("data is empty; name the folder that is to hold all state")
	}
	if c.Shards < 1 || c.Shards > maxShards {
		add("shards is %d; 1 to %d are allowed", c.Shards, maxShards)
	}
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.LogLevel) {
		add("log_level is %q; %s are allowed", c.LogLevel, strings.Join(levels, ", "))
	}
	if formats := []string{"text", "json"}; !slices.Contains(formats, c.LogFormat) {
		add("log_format is %q; %s are allowed", c.LogFormat, strings.Join(formats, ", "))
	}
	problems = append(problems, c.Cluster.problems()...)
	if c.ClientURL != "" && (c.ClientURL == "*" || !validOrigin(c.ClientURL)) {
		add("client_url is %q; SCHEME://HOST or SCHEME://HOST:PORT without a path is wanted", c.ClientURL)
	}
	for _, o := range c.Origins {
		if !validOrigin(o) {
			add("origins holds %q; SCHEME://HOST or SCHEME://HOST:PORT without a path, or * is wanted", o)
		}
	}
	if _, err := source.Parse(c.TrustedProxies); err != nil {
		add("trusted_proxies: %w", err)
	}
	if len(c.Apps) == 0 {
		add("no app is configured; name at least one under apps, in %s or with --app", EnvApp)
	}
	seen := map[chat.AppID]bool{}
	for _, a := range c.Apps {
		if seen[a.ID] {
			add("apps names the ID %d twice; each ID may stand once", a.ID)
		}
		seen[a.ID] = true
		problems = append(problems, a.problems()...)
	}
	return errors.Join(problems...)
}

func (a App) problems() []error {
	var problems []error
	verified, err := a.Auth()
	if err != nil {
		problems = append(problems, fmt.Errorf("keys of app %d: %w", a.ID, err))
	} else if err := verified.Check(); err != nil {
		problems = append(problems, err)
	}
	for _, size := range []struct {
		name       string
		value, max int
	}{
		{"text_bytes", a.Limits.TextBytes, maxBodyBytes},
		{"custom_bytes", a.Limits.CustomBytes, maxBodyBytes},
		{"command_bytes", a.Limits.CommandBytes, maxBodyBytes},
		{"extended_data_bytes", a.Limits.ExtendedDataBytes, maxExtendedBytes},
		{"searched_bytes", a.Limits.SearchedBytes, maxExtendedBytes},
	} {
		if size.value < 0 || size.value > size.max {
			problems = append(problems, fmt.Errorf("%s of app %d is %d; 1 to %d are allowed", size.name, a.ID, size.value, size.max))
		}
	}
	if age := a.Limits.DedupeAge; age != 0 && (age < minDedupeAge || age > maxDedupeAge || age%time.Millisecond != 0) {
		problems = append(problems, fmt.Errorf("dedupe_age of app %d is %v; %v to %v in whole milliseconds are allowed", a.ID, age, minDedupeAge, maxDedupeAge))
	}
	if n := a.Limits.DedupeMessages; n > maxDedupeMessage {
		problems = append(problems, fmt.Errorf("dedupe_messages of app %d is %d; 1 to %d are allowed", a.ID, n, maxDedupeMessage))
	}
	return problems
}

func validPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

// validOrigin accepts what a browser may write into its Origin header.
func validOrigin(o string) bool {
	if o == "*" {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && u.Scheme != "" && u.Host != "" && o == strings.ToLower(u.Scheme)+"://"+u.Host
}

// Print writes the configuration as YAML that Load can read, but for the
// secrets, which are replaced by a word.
func (c Config) Print(w io.Writer) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	_, err = w.Write(text)
	return err
}
