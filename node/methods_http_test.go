package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/proto/wirepb"
)

// caller asks a node over HTTP.
type caller struct {
	t      *testing.T
	n      *node.Node
	header http.Header
}

func (c caller) with(name, value string) caller {
	c.header = c.header.Clone()
	c.header.Set(name, value)
	return c
}

// post gives the answer's status and body.
func (c caller) post(path, contentType string, body []byte) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.n.URL()+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = c.header.Clone()
	r.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, data
}

// ask posts protobuf and decodes the reply, or gives the number of the refusal.
func (c caller) ask(path string, q, reply proto.Message) chat.Code {
	c.t.Helper()
	body, err := proto.Marshal(q)
	if err != nil {
		c.t.Fatal(err)
	}
	res, data := c.post("/parley.v1/"+path, "application/proto", body)
	if res.StatusCode != http.StatusOK {
		return codeIn(c.t, data)
	}
	if err := proto.Unmarshal(data, reply); err != nil || res.Header.Get("Content-Type") != "application/proto" {
		c.t.Fatalf("%s: %v, %v", path, err, res.Header)
	}
	return 0
}

// codeIn is our number in an error by Connect's protocol.
func codeIn(t *testing.T, body []byte) chat.Code {
	t.Helper()
	var e struct {
		Code, Message string
		Details       []struct {
			Type, Value string
			Debug       struct{ Code chat.Code }
		}
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Code == "" || e.Message == "" || len(e.Details) != 1 || e.Details[0].Type != "parley.wire.v1.Error" {
		t.Fatalf("%s is no error: %v", body, err)
	}
	return e.Details[0].Debug.Code
}

// bearing is a caller with a token04 of a user.
func bearing(t *testing.T, n *node.Node, user string) caller {
	c := caller{t: t, n: n, header: http.Header{}}
	return c.with("Authorization", "Bearer "+token(t, app, secret, user, time.Hour)).with("Parley-App", "7")
}

func TestMethodsAreAskedOverHTTPAsOnSockets(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "alice")
	bob := login(t, n, "bob")
	alice := bearing(t, n, "alice")
	var ack, again wirepb.SendMessageReply
	send := text("bob", "over HTTP")
	if code := alice.ask("SendMessage", send, &ack); code != 0 || ack.Seq != 1 {
		t.Fatalf("%d, %v", code, &ack)
	}
	if m := bob.push(); bodyOf(m.GetContent()) != "over HTTP" || m.SenderId != "alice" {
		t.Errorf("bob got %v", m)
	}
	if code := alice.ask("SendMessage", send, &again); code != 0 || !again.Duplicate || again.Seq != 1 {
		t.Errorf("the same again: %d, %v", code, &again)
	}
	jwt, err := auth.GenerateJWT(app, "bob", secret, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	res, body := caller{t: t, n: n, header: http.Header{}}.with("Authorization", "Bearer "+jwt).
		post("/parley.v1/QueryMessages", "application/json; charset=utf-8", []byte(`{"conversation":{"kind":1,"id":"alice"},"count":10,"newer":true}`))
	var page struct {
		HeadSeq  string
		Messages []struct {
			SenderID string
			Content  struct{ Body []byte }
		}
	}
	if err := json.Unmarshal(body, &page); err != nil || res.StatusCode != http.StatusOK || page.HeadSeq != "1" || len(page.Messages) != 1 || page.Messages[0].SenderID != "alice" ||
		string(page.Messages[0].Content.Body) != "over HTTP" {
		t.Errorf("in JSON, by a JWT that names its app: %s, %v", body, err)
	}
}

func TestWhatIsRefusedOverHTTP(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "alice")
	login(t, n, "bob")
	alice := bearing(t, n, "alice")
	list := []byte(`{"count":10}`)
	const json = "application/json"
	for name, c := range map[string]struct {
		caller     caller
		path, kind string
		body       []byte
		status     int
		code       chat.Code
	}{
		"no token":             {caller{t: t, n: n, header: http.Header{}}, "ListConversations", json, list, 401, chat.CodeNotLoggedIn},
		"a token of nobody":    {alice.with("Authorization", "Bearer 04x"), "ListConversations", json, list, 401, chat.CodeTokenInvalid},
		"another app":          {alice.with("Parley-App", "8"), "ListConversations", json, list, 401, chat.CodeTokenInvalid},
		"no app":               {alice.with("Parley-App", ""), "ListConversations", json, list, 401, chat.CodeInvalidAppID},
		"no such app":          {alice.with("Parley-App", "99"), "ListConversations", json, list, 401, chat.CodeInvalidAppID},
		"no such method":       {alice, "Teleport", json, list, 501, chat.CodeUnknownFrame},
		"a connection's own":   {alice, "Ping", json, []byte(`{}`), 501, chat.CodeUnsupported},
		"no JSON":              {alice, "ListConversations", json, []byte(`{`), 400, chat.CodeMalformedFrame},
		"no protobuf":          {alice, "ListConversations", "application/proto", []byte{0xff}, 400, chat.CodeMalformedFrame},
		"a broken bound":       {alice, "ClearUnread", json, []byte(`{"conversation":{"kind":1,"id":"` + strings.Repeat("x", 200) + `"}}`), 400, chat.CodeInvalidParam},
		"a broken rule":        {alice, "ListConversations", json, []byte(`{}`), 400, chat.CodeInvalidParam},
		"a large body":         {alice, "ListConversations", json, bytes.Repeat([]byte(" "), 1<<20), 400, chat.CodeInvalidParam},
		"a compressed body":    {alice.with("Content-Encoding", "gzip"), "ListConversations", json, list, 501, chat.CodeUnsupported},
		"no request id":        {alice.with("Idempotency-Key", "7"), "ListConversations", json, list, 400, chat.CodeInvalidParam},
		"no timeout":           {alice.with("Connect-Timeout-Ms", "soon"), "ListConversations", json, list, 400, chat.CodeInvalidParam},
		"no time at all":       {alice.with("Connect-Timeout-Ms", "0"), "ListConversations", json, list, 504, chat.CodeTimeout},
		"no such conversation": {alice, "ClearUnread", json, []byte(`{"conversation":{"kind":1,"id":"carol"}}`), 404, chat.CodeNoConversation},
	} {
		res, body := c.caller.post("/parley.v1/"+c.path, c.kind, c.body)
		if code := codeIn(t, body); res.StatusCode != c.status || code != c.code {
			t.Errorf("%s: %d, %s", name, res.StatusCode, body)
		}
	}
	if res, _ := alice.post("/parley.v1/ListConversations", "text/plain", list); res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("plain text: %d", res.StatusCode)
	}
	if res, err := http.Get(n.URL() + "/parley.v1/ListConversations"); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v, %v", res, err)
	} else {
		res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	}
	var ack wirepb.SendMessageReply
	if code := bearing(t, n, "never-seen").ask("SendMessage", text("bob", "x"), &ack); code != chat.CodeNoSuchTarget {
		t.Errorf("a sender who has never logged in: %d, %v", code, &ack)
	}
}

// TestTheRequestsOfTheDocsWork runs the lines of docs/protocol.md that use curl.
func TestTheRequestsOfTheDocsWork(t *testing.T) {
	o := options(t)
	o.Admin, o.AdminToken = "127.0.0.1:0", "an-admin-token-of-this-test"
	n, _ := start(t, o)
	login(t, n, "alice")
	bob := login(t, n, "bob")
	docs, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for line := range strings.Lines(string(docs)) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		c, path, body := caller{t: t, n: n, header: http.Header{}}, "", ""
		words := shellWords(strings.NewReplacer(
			"$TOKEN", token(t, app, secret, "alice", time.Hour), "$ID", "AAECAwQFBgcICQoLDA0ODw==", "$BODY", "SGkgQm9i", "$NOW", fmt.Sprint(time.Now().UnixMilli()),
		).Replace(line))
		for i := 1; i < len(words); i++ {
			switch words[i] {
			case "-H":
				i++
				name, value, _ := strings.Cut(words[i], ": ")
				c = c.with(name, value)
			case "-d":
				i++
				body = words[i]
			default:
				path = strings.TrimPrefix(words[i], "http://127.0.0.1:8080")
			}
		}
		if res, answer := c.with("Parley-App", "7").post(path, c.header.Get("Content-Type"), []byte(body)); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", line, res.StatusCode, answer)
		}
		ran++
	}
	if ran < 4 {
		t.Errorf("%d lines with curl were found", ran)
	}
	if m := bob.push(); bodyOf(m.GetContent()) != "Hi Bob" {
		t.Errorf("bob got %v", m)
	}
	if _, metrics := page(t, http.MethodGet, n.AdminURL()+"/metrics", ""); !strings.Contains(metrics, `parley_requests_total{method="SendMessage"} 1`) {
		t.Error("the request is not counted by its method")
	}
}

// shellWords splits a line at the spaces outside of quotes.
func shellWords(line string) (words []string) {
	var word strings.Builder
	var quote rune
	for _, r := range strings.TrimSpace(line) + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && r == ' ':
			if word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return words
}
