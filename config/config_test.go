package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/config"
)

const (
	secret    = "0123456789abcdef0123456789ABCDEF"
	digits    = "01234567890123456789012345678901"
	jwtSecret = "signs-tokens-and-nothing-else-0123"
	gossipKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	key       = "AHJiMehDGu9xrNcgTc3KeNtSciKA10eKwmfb756/E+8="
)

// file writes a configuration file and gives its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const full = `
addr: 0.0.0.0:9000
tls: {cert: c.pem, key: k.pem}
client_url: https://n1.example.com
path_prefix: /chat/
data: /var/lib/parley
shards: 16
origins: [https://app.example.com, "*"]
trusted_proxies: [10.0.0.0/8, 192.0.2.1]
log_level: debug
log_format: json
admin_addr: 127.0.0.1:7
admin_token_file: /run/admin
insecure: true
cluster:
  peer_addr: 10.0.0.1:7701
  actor_addr: 10.0.0.1:7702
  gossip_addr: 10.0.0.1:7946
  advertise: node1.example.com
  join: [10.0.0.2:7946]
  expect: 3
  zone: a
  tls: {cert: c.pem, key: k.pem, ca: ca.pem}
  gossip_key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
apps:
  - id: 1
    secret: ` + secret + `
    keys: ["` + key + `"]
    limits:
      text_bytes: 2048
      dedupe_age: 48h
      dedupe_messages: 500
  - id: 4294967295
    secret: "` + digits + `"
    jwt_secret: ` + jwtSecret + `
    tokens: [jwt, token04-gcm, token04-cbc]
`

func TestAFileSetsEveryField(t *testing.T) {
	got, err := config.Load(file(t, full))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Addr: "0.0.0.0:9000", TLS: config.Certificate{Cert: "c.pem", Key: "k.pem"}, PathPrefix: "/chat/", AdminAddr: "127.0.0.1:7", Insecure: true, ClientURL: "https://n1.example.com", Data: "/var/lib/parley", Shards: 16,
		Origins: []string{"https://app.example.com", "*"}, LogLevel: "debug", LogFormat: "json",
		AdminTokenFile: "/run/admin", TrustedProxies: []string{"10.0.0.0/8", "192.0.2.1"},
		Cluster: config.Cluster{
			PeerAddr: "10.0.0.1:7701", ActorAddr: "10.0.0.1:7702", GossipAddr: "10.0.0.1:7946", Advertise: "node1.example.com",
			Join: []string{"10.0.0.2:7946"}, Expect: 3, Zone: "a",
			TLS: config.TLS{Cert: "c.pem", Key: "k.pem", CA: "ca.pem"}, GossipKey: gossipKey,
		},
		Apps: []config.App{
			{ID: 1, Secret: secret, Keys: []string{key}, Limits: config.Limits{TextBytes: 2048, DedupeAge: 48 * time.Hour, DedupeMessages: 500}},
			{ID: 4294967295, Secret: digits, JWTSecret: jwtSecret, Tokens: []auth.Kind{auth.KindJWT, auth.Kind04GCM, auth.Kind04CBC}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotSetKeepsItsDefault(t *testing.T) {
	for name, load := range map[string]string{"no file": "", "empty file": file(t, ""), "comment": file(t, "# nothing\n")} {
		if got, err := config.Load(load); err != nil || !reflect.DeepEqual(got, config.Default()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	got, err := config.Load(file(t, "data: ./x\n"))
	if err != nil || got.Data != "./x" || got.Addr != config.Default().Addr {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatOverridesWinsAndTheRestStays(t *testing.T) {
	got, err := config.Load(file(t, full))
	if err != nil {
		t.Fatal(err)
	}
	got.Override(config.Config{
		Addr: "127.0.0.1:1", Shards: 3, Origins: []string{"http://a"}, TLS: config.Certificate{Key: "other.pem"},
		Cluster: config.Cluster{PeerAddr: "127.0.0.1:2", Join: []string{"127.0.0.1:3", "127.0.0.1:4"}, Expect: 5, TLS: config.TLS{CA: "b.pem"}, GossipKey: digits},
	})
	if got.Addr != "127.0.0.1:1" || got.Shards != 3 || len(got.Origins) != 1 || got.TLS != (config.Certificate{Cert: "c.pem", Key: "other.pem"}) ||
		got.Data != "/var/lib/parley" || !got.Insecure || len(got.Apps) != 2 {
		t.Errorf("got %+v", got)
	}
	if c := got.Cluster; c.PeerAddr != "127.0.0.1:2" || len(c.Join) != 2 || c.Expect != 5 || c.GossipKey != digits || c.Zone != "a" ||
		c.TLS != (config.TLS{Cert: "c.pem", Key: "k.pem", CA: "b.pem"}) {
		t.Errorf("cluster is %+v", c)
	}
	got.SetApp(config.App{ID: 1, Secret: digits})
	if a := got.Apps[0]; len(got.Apps) != 2 || a.Secret != digits || a.Limits.TextBytes != 2048 || len(a.Keys) != 1 {
		t.Errorf("app 1 became %+v", a)
	}
}

func TestSecretsMayBeInFilesOfTheirOwn(t *testing.T) {
	cfg, err := config.Load(file(t, "apps: [{id: 1, secret_file: "+file(t, secret+"\n")+"}, {id: 2, secret: "+secret+"}]\ncluster: {gossip_key_file: "+file(t, gossipKey)+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.ReadSecrets(); err != nil || cfg.Apps[0].Secret != secret || cfg.Cluster.GossipKey != gossipKey {
		t.Errorf("%v, %q", err, string(cfg.Apps[0].Secret))
	}
	var out strings.Builder
	if err := cfg.Print(&out); err != nil {
		t.Fatal(err)
	}
	again, err := config.Load(file(t, out.String()))
	if err == nil {
		err = again.ReadSecrets()
	}
	if err != nil || again.Apps[0].Secret != secret || strings.Contains(out.String(), secret) {
		t.Errorf("printed and loaded again: %v\n%s", err, out.String())
	}
	large := config.Config{Apps: []config.App{{ID: 7, SecretFile: file(t, strings.Repeat("x", 2<<20))}}}
	if err := large.ReadSecrets(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a file that is no secret: %v", err)
	}
	missing := config.Config{Apps: []config.App{{ID: 7, SecretFile: "/no/such"}}}
	if err := missing.ReadSecrets(); err == nil || !strings.Contains(err.Error(), "app 7") {
		t.Errorf("a file that is not there: %v", err)
	}
	twice := config.Config{Apps: []config.App{{ID: 7, Secret: secret, SecretFile: "/no/such"}}}
	if err := twice.ReadSecrets(); err == nil || !strings.Contains(err.Error(), "twice") || strings.Contains(err.Error(), secret) {
		t.Errorf("two secrets: %v", err)
	}
}

func TestAMistakeInTheFileIsNamedWithItsLineAndWithoutSecrets(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown key", "addr: x\nport: 80\n", `:2: unknown field "port"; the keys of the file are addr, tls, client_url, path_prefix`},
		{"unknown key of an app", "apps:\n  - id: 1\n    secret: " + secret + "\n    name: x\n", `:4: unknown field "name"`},
		{"unknown limit", "apps:\n  - id: 1\n    secret: " + secret + "\n    limits:\n      texts: 1\n", `:5: unknown field "texts"`},
		{"key twice", "addr: x\naddr: y\n", `:2: mapping key "addr" already defined`},
		{"wrong type", "apps:\n  - secret: " + secret + "\n    id: one\n", ":3: the value is a text; a whole number is wanted here"},
		{"list for a string", "apps:\n  - secret: [" + secret + "]\n", ":2: "},
		{"no map", "apps: " + secret + "\n", ":1: "},
		{"too large an ID", "apps:\n  - id: 4294967296\n    secret: " + secret + "\n", ":2: "},
		{"negative ID", "apps:\n  - id: -1\n", ":2: the number is negative"},
		{"duration as a number", "apps:\n  - id: 1\n    limits: {dedupe_age: 0}\n", ":3: the value is a whole number; a duration such as 48h is wanted here"},
		{"duration without unit", "apps:\n  - id: 1\n    limits: {dedupe_age: soon}\n", "parley.yaml"},
		{"no YAML", "addr: [x\nsecret: " + secret, "parley.yaml:"},
		{"two documents", "addr: x\n---\naddr: y\n", "more than one YAML document"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(file(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the message shows the secret or more than a line: %v", err)
			}
		})
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml")); !os.IsNotExist(unwrap(err)) {
		t.Errorf("missing file: %v", err)
	}
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return err
}

func TestValidateNamesEachProblem(t *testing.T) {
	cases := []struct {
		name   string
		change func(c *config.Config)
		want   string
	}{
		{"nothing wrong", func(*config.Config) {}, ""},
		{"any free port", func(c *config.Config) { c.Addr = "[::1]:0" }, ""},
		{"only a key", func(c *config.Config) { c.Apps[0] = config.App{ID: 2, Keys: []string{key}} }, ""},
		{"no port", func(c *config.Config) { c.Addr = "localhost" }, `addr is "localhost"`},
		{"port by name", func(c *config.Config) { c.Addr = "localhost:http" }, "addr is"},
		{"port too high", func(c *config.Config) { c.Addr = "localhost:65536" }, "addr is"},
		{"one port twice", func(c *config.Config) { c.Cluster.GossipAddr = c.Addr }, "addr and gossip_addr are both 127.0.0.1:8080"},
		{"free ports", func(c *config.Config) { c.Addr, c.AdminAddr = "127.0.0.1:0", "127.0.0.1:0" }, ""},
		{"a client URL", func(c *config.Config) { c.ClientURL = "https://n1.example.com:8443" }, ""},
		{"a client URL that is no page", func(c *config.Config) { c.ClientURL = "ftp://n1.example.com" }, "client_url is"},
		{"a client URL of no port", func(c *config.Config) { c.ClientURL = "http://n1.example.com:99999" }, "client_url is"},
		{"no data", func(c *config.Config) { c.Data = "" }, "data is empty"},
		{"no shards", func(c *config.Config) { c.Shards = 0 }, "shards is 0; 1 to 65535"},
		{"too many shards", func(c *config.Config) { c.Shards = 65536 }, "shards is 65536"},
		{"level", func(c *config.Config) { c.LogLevel = "loud" }, `log_level is "loud"; debug, info, warn, error`},
		{"format", func(c *config.Config) { c.LogFormat = "xml" }, `log_format is "xml"; text, json`},
		{"proxy by name", func(c *config.Config) { c.TrustedProxies = []string{"nginx"} }, `trusted_proxies: "nginx" is no network`},
		{"no apps", func(c *config.Config) { c.Apps = nil }, "no app is configured"},
		{"app twice", func(c *config.Config) { c.Apps = append(c.Apps, c.Apps[0]) }, "ID 1 twice"},
		{"app 0", func(c *config.Config) { c.Apps[0].ID = 0 }, "app ID 0"},
		{"short secret", func(c *config.Config) { c.Apps[0].Secret = "short" }, "secret of app 1 has 5 bytes"},
		{"no secret", func(c *config.Config) { c.Apps[0].Secret = "" }, "neither a secret nor a key"},
		{"a token without a MAC beside HS256", func(c *config.Config) { c.Apps[0].Tokens = auth.Kinds() }, "jwt_secret"},
		{"another kind of token", func(c *config.Config) { c.Apps[0].Tokens = []auth.Kind{"token03"} }, `"token03"`},
		{"bad key", func(c *config.Config) { c.Apps[0].Keys = []string{"x"} }, "keys of app 1"},
		{"large limit", func(c *config.Config) { c.Apps[0].Limits.TextBytes = 65537 }, "text_bytes of app 1 is 65537; 1 to 65536"},
		{"negative limit", func(c *config.Config) { c.Apps[0].Limits.SearchedBytes = -1 }, "searched_bytes of app 1"},
		{"short dedupe", func(c *config.Config) { c.Apps[0].Limits.DedupeAge = time.Second }, "dedupe_age of app 1"},
		{"negative connections", func(c *config.Config) { c.Apps[0].Limits.Connections = -1 }, "connections of app 1"},
		{"too many devices", func(c *config.Config) { c.Apps[0].Limits.Devices = 11 }, "devices of app 1"},
		{"negative devices", func(c *config.Config) { c.Apps[0].Limits.Devices = -1 }, "devices of app 1"},
		{"long dedupe", func(c *config.Config) { c.Apps[0].Limits.DedupeMessages = 1_000_001 }, "dedupe_messages of app 1"},
	}
	for _, o := range []string{"app.example.com", "https://x/", "https://x/path", "https://", "x", "", "https://u@x", "HTTPS://x"} {
		cases = append(cases, struct {
			name   string
			change func(c *config.Config)
			want   string
		}{"origin " + o, func(c *config.Config) { c.Origins = []string{o} }, "origins holds"})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Apps = []config.App{{ID: 1, Secret: secret}}
			c.change(&cfg)
			err := cfg.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("got %v, want one sentence with %q", err, c.want)
			}
		})
	}
}

func TestNothingLeavesTheMachineInTheClearUnasked(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *config.Config)
		want   string
	}{
		{"any free port", func(c *config.Config) { c.Addr = "[::1]:0" }, ""},
		{"in the clear", func(c *config.Config) { c.Addr = ":8080" }, "addr leaves this machine, and clients would send tokens"},
		{"in the clear on one interface", func(c *config.Config) { c.Addr = "[2001:db8::1]:8080" }, "addr leaves this machine"},
		{"in the clear by name", func(c *config.Config) { c.Addr = "chat.example:8080" }, "addr leaves this machine"},
		{"TLS", func(c *config.Config) { c.Addr, c.TLS = ":443", config.Certificate{Cert: "c", Key: "k"} }, ""},
		{"half of TLS", func(c *config.Config) { c.TLS.Cert = "c" }, "tls needs both"},
		{"a proxy ends TLS", func(c *config.Config) { c.Addr, c.TrustedProxies = ":8080", []string{"10.0.0.0/8"} }, ""},
		{"said to be safe", func(c *config.Config) { c.Addr, c.AdminAddr, c.Insecure = ":8080", ":7700", true }, ""},
		{"operators in the clear", func(c *config.Config) { c.AdminAddr = ":7700" }, "admin_addr leaves this machine, and operators"},
		{"operators in the clear beside a proxy", func(c *config.Config) { c.AdminAddr, c.TrustedProxies = ":7700", []string{"10.0.0.0/8"} }, "admin_addr leaves this machine"},
		{"operators with TLS", func(c *config.Config) { c.AdminAddr, c.TLS = ":7700", config.Certificate{Cert: "c", Key: "k"} }, ""},
		{"no operators", func(c *config.Config) { c.AdminAddr = "" }, ""},
		{"an admin address without a port", func(c *config.Config) { c.AdminAddr = "localhost" }, `admin_addr is "localhost"`},
		{"a prefix", func(c *config.Config) { c.PathPrefix = "/chat" }, ""},
		{"a prefix with a slash at its end", func(c *config.Config) { c.PathPrefix = "/team/chat/" }, ""},
		{"the root", func(c *config.Config) { c.PathPrefix = "/" }, ""},
		{"a prefix without a slash", func(c *config.Config) { c.PathPrefix = "chat" }, `path_prefix is "chat"`},
		{"a prefix that goes up", func(c *config.Config) { c.PathPrefix = "/a/../b" }, "path_prefix is"},
		{"a prefix with a query", func(c *config.Config) { c.PathPrefix = "/a?b" }, "path_prefix is"},
	} {
		cfg := config.Default()
		cfg.Apps = []config.App{{ID: 1, Secret: secret}}
		c.change(&cfg)
		if err := cfg.Validate(); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	err := config.Config{}.Validate()
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	cfg, err := config.Load(file(t, full))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := cfg.Print(&out); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "cfg", cfg, "secret", cfg.Apps[0].Secret)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "cfg", cfg, "app", cfg.Apps[0])
	out.Write(asJSON)
	fmt.Fprintf(&out, "%v %+v %#v %v %q %x", cfg, cfg, cfg, cfg.Apps, cfg.Apps[0].Secret, cfg.Apps[0].Secret)
	for _, leak := range []string{secret, digits, jwtSecret, fmt.Sprintf("%x", secret)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q stands in %s", leak, out.String())
		}
	}
	if n := strings.Count(out.String(), "redacted"); n < 10 {
		t.Errorf("only %d redactions in %s", n, out.String())
	}
}

func TestWhatIsPrintedCanBeLoaded(t *testing.T) {
	cfg, err := config.Load(file(t, full))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := cfg.Print(&out); err != nil {
		t.Fatal(err)
	}
	again, err := config.Load(file(t, out.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	for i := range cfg.Apps {
		cfg.Apps[i].Secret = "redacted"
	}
	cfg.Apps[1].JWTSecret = "redacted"
	cfg.Cluster.GossipKey = "redacted"
	if !reflect.DeepEqual(again, cfg) {
		t.Errorf("got %+v, want %+v", again, cfg)
	}
}

func TestAnAppIsParsedFromOneWord(t *testing.T) {
	a, err := config.ParseApp("7:a:b")
	if err != nil || a.ID != 7 || a.Secret != "a:b" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := config.ParseApp("7:@/run/secret"); err != nil || a.SecretFile != "/run/secret" || a.Secret != "" {
		t.Errorf("a secret in a file: %+v, %v", a, err)
	}
	for _, text := range []string{"", "7", "7:", ":x", "0:x", "-1:x", "4294967296:x", "seven:" + secret} {
		if _, err := config.ParseApp(text); err == nil || text != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnAppBecomesVerifierAndLimits(t *testing.T) {
	a := config.App{ID: 1, Secret: secret, JWTSecret: jwtSecret, Keys: []string{key}, Tokens: auth.Kinds(), Limits: config.Limits{CommandBytes: 9, DedupeAge: time.Hour}}
	got, err := a.Auth()
	if err != nil || got.ID != 1 || got.Secret != secret || got.JWTSecret != jwtSecret || len(got.Keys) != 1 || len(got.Tokens) != 4 {
		t.Errorf("%v, %v", got.ID, err)
	}
	if _, err := auth.NewVerifier([]auth.App{got}); err != nil {
		t.Error(err)
	}
	want := chat.DefaultLimits()
	want.CommandBytes, want.Dedupe.Age = 9, time.Hour
	if a.Limits.Chat() != want {
		t.Errorf("limits are %+v", a.Limits.Chat())
	}
	every := config.Limits{TextBytes: 1, CustomBytes: 2, CommandBytes: 3, ExtendedDataBytes: 4, SearchedBytes: 5, DedupeAge: 6, DedupeMessages: 7, Recall: 10, Connections: 8, Devices: 9}
	if got := every.Chat(); got != (chat.Limits{TextBytes: 1, CustomBytes: 2, CommandBytes: 3, ExtendedDataBytes: 4, SearchedBytes: 5,
		Dedupe: chat.DedupeWindow{Age: 6, Messages: 7}, Recall: 10, Connections: 8, Devices: 9}) {
		t.Errorf("limits are %+v", got)
	}
}
