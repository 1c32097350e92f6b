package node_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// askToken posts to /dev/token.
func askToken(t *testing.T, n *node.Node, contentType, body string) (status int, answer map[string]any) {
	t.Helper()
	res, err := http.Post(n.URL()+"/dev/token", contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	if allow := res.Header.Get("Access-Control-Allow-Origin"); allow != "" {
		t.Errorf("/dev/token allows the origin %q; no other page may have a token", allow)
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}

func TestDevHandsOutTokensThatLetOneIn(t *testing.T) {
	o := options(t)
	o.Demo = true
	n, _ := start(t, o)
	status, answer := askToken(t, n, "application/json; charset=utf-8", `{"userID":"zoe","userName":"Zoë","ttlSeconds":3600}`)
	if status != http.StatusOK || answer["appID"] != float64(app) {
		t.Fatalf("%d %v", status, answer)
	}
	h := hello(app, "zoe", answer["token"].(string))
	h.UserName = ""
	if w := dial(t, n, wire.Proto{}).welcome(h); w.UserName != "Zoë" {
		t.Errorf("welcomed as %q", w.UserName)
	}
	alice := login(t, n, "alice")
	if ack := alice.sent(text("bob", "a demo user exists before the first login")); ack.Seq != 1 {
		t.Errorf("ack %v", ack)
	}
}

func TestDevRefusesWhatIsNoTokenRequest(t *testing.T) {
	o := options(t)
	o.Demo = true
	n, _ := start(t, o)
	for name, c := range map[string]struct{ contentType, body string }{
		"no JSON":        {"application/json", `userID=bob`},
		"no user":        {"application/json", `{}`},
		"a bad user":     {"application/json", `{"userID":"b b"}`},
		"33 bytes":       {"application/json", `{"userID":"` + strings.Repeat("b", 33) + `"}`},
		"ttl 0":          {"application/json", `{"userID":"bob","ttlSeconds":0}`},
		"ttl of a month": {"application/json", `{"userID":"bob","ttlSeconds":2592000}`},
		"ttl no number":  {"application/json", `{"userID":"bob","ttlSeconds":"1"}`},
		"long name":      {"application/json", `{"userID":"bob","userName":"` + strings.Repeat("n", 257) + `"}`},
		"two values":     {"application/json", `{"userID":"bob"}{}`},
		"a form":         {"text/plain", `{"userID":"bob"}`},
		"5 KB":           {"application/json", `{"userID":"` + strings.Repeat("b", 5<<10) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := askToken(t, n, c.contentType, c.body)
			if status != http.StatusBadRequest || answer["code"] != float64(chat.CodeInvalidParam) || answer["message"] == "" {
				t.Errorf("%d %v", status, answer)
			}
		})
	}
}

func TestNobodyGetsATokenOutsideDev(t *testing.T) {
	n, _ := start(t, options(t))
	for _, path := range []string{"/dev/users", "/dev/token"} {
		res, err := http.Get(n.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d, want 404", path, res.StatusCode)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestLogsHoldNoBodiesAndNoTokens(t *testing.T) {
	var log bytes.Buffer
	o := options(t)
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n, stop := start(t, o)
	login(t, n, "bob")
	alice := login(t, n, "alice")
	alice.sent(text("bob", "the-secret-body"))
	bad := dial(t, n, wire.Proto{})
	bad.say(helloFrame(hello(app, "alice", "the-secret-token")))
	bad.closed()
	alice.say(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Goodbye{Goodbye: &wirepb.Goodbye{}}})
	alice.closed()
	stop()
	if text := log.String(); strings.Contains(text, "the-secret") || strings.Contains(text, secret) {
		t.Errorf("the log tells:\n%s", text)
	}
}
