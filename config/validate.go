package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path"
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

	problems = append(problems, c.portProblems()...)
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
	problems = append(problems, c.Cluster.problems(c.Insecure)...)
	problems = append(problems, c.clashes()...)
	if c.ClientURL != "" && !validClientURL(c.ClientURL) {
		add("client_url is %q; http or https and ://HOST or ://HOST:PORT without a path is wanted", c.ClientURL)
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
		add("no app is configured; name at least one under apps, in PARLEY_APP or with --app")
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

// portProblems checks where clients and operators connect, and that nothing
// leaves the machine in the clear that nobody has asked for.
func (c Config) portProblems() (all []error) {
	add := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		add("tls needs both cert and key")
	}
	safe := c.Insecure || c.TLS.Cert != ""
	for _, a := range []struct {
		name, value string
		safe        bool
		mend        string
	}{
		{"addr", c.Addr, safe || len(c.TrustedProxies) > 0, "clients would send tokens and messages in the clear: set tls (cert and key), or trusted_proxies when a proxy ends TLS, or --insecure on a network that you trust"},
		{"admin_addr", c.AdminAddr, safe, "operators would send their token in the clear: set tls (cert and key), or --insecure on a network that you trust"},
	} {
		_, port, err := net.SplitHostPort(a.value)
		switch {
		case a.name == "admin_addr" && a.value == "":
		case err != nil || !validPort(port):
			add("%s is %q; HOST:PORT with a port from 0 to 65535 is wanted", a.name, a.value)
		case !a.safe && !source.Loopback(a.value):
			add("%s leaves this machine, and %s", a.name, a.mend)
		}
	}
	if p := c.Prefix(); p != "" && (path.Clean(p) != p || p[0] != '/' || (&url.URL{Path: p}).EscapedPath() != p) {
		add("path_prefix is %q; a path such as /chat is wanted", c.PathPrefix)
	}
	return all
}

// clashes finds addresses that two settings name: the second could not be bound.
func (c Config) clashes() (all []error) {
	named := make(map[string]string)
	for _, a := range []struct{ name, value string }{
		{"addr", c.Addr}, {"admin_addr", c.AdminAddr},
		{"peer_addr", c.Cluster.PeerAddr}, {"actor_addr", c.Cluster.ActorAddr}, {"gossip_addr", c.Cluster.GossipAddr},
	} {
		if _, port, err := net.SplitHostPort(a.value); err != nil || port == "0" {
			continue
		}
		if other := named[a.value]; other != "" {
			all = append(all, fmt.Errorf("%s and %s are both %s; each needs a port of its own", other, a.name, a.value))
		}
		named[a.value] = a.name
	}
	return all
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
	if age := a.Limits.Recall; age < 0 || age > maxRecall || age%time.Millisecond != 0 {
		problems = append(problems, fmt.Errorf("recall of app %d is %v; up to %v in whole milliseconds are allowed", a.ID, age, maxRecall))
	}
	if n := a.Limits.Connections; n < 0 {
		problems = append(problems, fmt.Errorf("connections of app %d is %d; 1 or more are allowed", a.ID, n))
	}
	if n := a.Limits.Devices; n < 0 || n > chat.MaxDevices {
		problems = append(problems, fmt.Errorf("devices of app %d is %d; 1 to %d are allowed", a.ID, n, chat.MaxDevices))
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

// validClientURL accepts the origin of a node's page.
func validClientURL(o string) bool {
	u, err := url.Parse(o)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && validOrigin(o) && (u.Port() == "" || validPort(u.Port()))
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
// secrets: one that has a file of its own is left out, the others are replaced by
// a word.
func (c Config) Print(w io.Writer) error {
	c.Apps = slices.Clone(c.Apps)
	for i := range c.Apps {
		if c.Apps[i].SecretFile != "" {
			c.Apps[i].Secret = ""
		}
	}
	if c.Cluster.GossipKeyFile != "" {
		c.Cluster.GossipKey = ""
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	_, err = w.Write(append(bytes.TrimRight(text, "\n"), '\n'))
	return err
}
