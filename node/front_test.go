package node_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/transport/api"
	"github.com/parley-im/parley/transport/wire"
)

// page asks for a URL with "Name: value" headers, Host among them, and gives the
// status and the body.
func page(t *testing.T, method, url string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			continue
		}
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	one := http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: waitFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := one.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestEachPortServesItsOwn(t *testing.T) {
	o := options(t)
	o.Demo, o.Admin, o.AdminToken = true, "127.0.0.1:0", "an-admin-token-of-this-test"
	n, _ := start(t, o)
	bearer := "Authorization: Bearer " + o.AdminToken
	for _, c := range []struct {
		url    string
		status int
		header string
	}{
		{n.URL() + "/healthz", 200, ""},
		{n.URL() + "/readyz", 200, ""},
		{n.URL() + "/", 200, ""},
		{n.URL() + "/any/page", 404, ""},
		{n.URL() + "/sdk/nothing.js", 404, ""},
		{n.URL() + "/dev/users", 200, ""},
		{n.URL() + "/dev/typo", 404, ""},
		{n.URL() + "/api/typo", 404, ""},
		{n.URL() + "/index.html", 200, ""},
		{n.URL() + "/metrics", 404, ""},
		{n.URL() + "/api/cluster", 404, bearer},
		{n.URL() + "/debug/pprof/", 404, ""},
		{n.URL() + "/cluster", 404, ""},
		{n.AdminURL() + "/healthz", 200, ""},
		{n.AdminURL() + "/readyz", 200, ""},
		{n.AdminURL() + "/metrics", 200, ""},
		{n.AdminURL() + "/debug/pprof/", 200, ""},
		{n.AdminURL() + "/debug/pprof/goroutine", 200, ""},
		{n.AdminURL() + "/api/cluster", 401, ""},
		{n.AdminURL() + "/api/cluster", 200, bearer},
		{n.AdminURL() + "/api/typo", 404, bearer},
		{n.AdminURL() + "/cluster", 200, ""},
		{n.AdminURL() + "/", 302, ""},
		{n.AdminURL() + "/metrics", 421, "Host: attacker.example"},
	} {
		if status, _ := page(t, http.MethodGet, c.url, c.header); status != c.status {
			t.Errorf("%s answered %d, want %d", c.url, status, c.status)
		}
	}
}

func TestASiteWhoseNameWasPointedToThisMachineGetsNothing(t *testing.T) {
	o := options(t)
	o.Demo, o.LoopbackOrigins = true, true
	n, _ := start(t, o)
	_, port, _ := net.SplitHostPort(n.Addr())
	for host, want := range map[string]bool{
		"localhost": true, "localhost:" + port: true, "LOCALHOST:" + port: true, "chat.localhost:" + port: true, "127.0.0.1": true, "127.1.2.3:" + port: true,
		"[::1]:" + port: true, "[::1]": true,
		"attacker.example": false, "attacker.example:" + port: false, "localhost.attacker.example": false, "notlocalhost": false, "127.0.0.1.nip.example": false,
		"10.0.0.1": false, "[2001:db8::1]:" + port: false, "0.0.0.0": false,
	} {
		for _, path := range []string{"/healthz", "/", "/dev/users", "/sdk/zim.js"} {
			if status, _ := page(t, http.MethodGet, n.URL()+path, "Host: "+host); (status == http.StatusOK) != want || !want && status != http.StatusMisdirectedRequest {
				t.Errorf("%s asked of %s: %d", path, host, status)
			}
		}
		socket, _, err := websocket.Dial(t.Context(), n.URL()+"/ws", &websocket.DialOptions{
			Subprotocols: []string{wire.Proto{}.Name()}, Host: host, HTTPHeader: http.Header{"Origin": {"http://" + host}},
		})
		if (err == nil) != want {
			t.Errorf("a socket from the page of %s: %v", host, err)
		}
		if socket != nil {
			_ = socket.CloseNow()
		}
	}
	status, answer := page(t, http.MethodPost, n.URL()+"/dev/token", "Host: attacker.example", "Content-Type: application/json")
	if status != http.StatusMisdirectedRequest || strings.Contains(answer, `"token"`) {
		t.Errorf("a token for another site: %d %s", status, answer)
	}
}

// taken binds a port of loopback until the test ends.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestAPortThatIsTakenEndsTheStartBeforeAnythingHasChanged(t *testing.T) {
	for setting, set := range map[string]func(*node.Options, string){
		"--addr":       func(o *node.Options, at string) { o.Addr = at },
		"--admin-addr": func(o *node.Options, at string) { o.Admin = at },
		"--peer-addr":  func(o *node.Options, at string) { o.Cluster.PeerAddr = at },
		"--actor-addr": func(o *node.Options, at string) { o.Cluster.ActorAddr = at },
	} {
		o := options(t)
		set(&o, taken(t))
		if _, err := node.Start(t.Context(), o); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), setting+":") {
			t.Errorf("%s: %v", setting, err)
		}
		if left, err := os.ReadDir(o.Data); err != nil || len(left) > 0 {
			t.Errorf("%s: the folder holds %v, %v", setting, left, err)
		}
	}
	o := options(t)
	o.Cluster.GossipAddr = taken(t)
	if _, err := node.Start(t.Context(), o); err == nil {
		t.Error("a gossip port that is taken was no error")
	}
	if _, err := os.Stat(filepath.Join(o.Data, "cluster.json")); err == nil {
		t.Error("a cluster was founded without a gossip port")
	}
}

func TestANodeThatWaitsForOthersIsAliveAndSaysWhatFor(t *testing.T) {
	o := options(t)
	o.Addr = freeAddr(t)
	o.Cluster = node.ClusterOptions{Expect: 2, Join: []string{freeAddr(t)}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := node.Start(ctx, o)
		ended <- err
	}()
	eventually(t, "the node answers", func() bool {
		one := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
		res, err := one.Get("http://" + o.Addr + "/healthz")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	var said string
	eventually(t, "it waits for the others", func() bool {
		status, body := page(t, http.MethodGet, "http://"+o.Addr+"/readyz")
		var r api.Readiness
		if err := json.Unmarshal([]byte(body), &r); err != nil || status != http.StatusServiceUnavailable || r.Ready || r.Shards != o.Shards {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		said = r.Reason
		return strings.Contains(said, "the other nodes")
	})
	for _, path := range []string{"/", "/ws", "/sdk/zim.js"} {
		if status, _ := page(t, http.MethodGet, "http://"+o.Addr+path); status != http.StatusServiceUnavailable {
			t.Errorf("%s answered %d while the node waits", path, status)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the start ended with %v", err)
	}
}

func TestANodeUnderAPrefixServesItWithAndWithout(t *testing.T) {
	o := options(t)
	o.PathPrefix = "/team/chat"
	n, _ := start(t, o)
	root := "http://" + n.Addr()
	for path, want := range map[string]int{
		"/team/chat": 308, "/team/chat/": 200, "/team/chat/healthz": 200, "/team/chat/sdk/zim.js": 200, "/team/chat/api/typo": 404, "/team/chats/healthz": 404,
		"/": 200, "/healthz": 200, "/sdk/zim.js": 200,
	} {
		if status, _ := page(t, http.MethodGet, root+path); status != want {
			t.Errorf("%s answered %d, want %d", path, status, want)
		}
	}
	for _, url := range []string{root, root + "/team/chat", root + "/team/chat/", root + "/team/chat/ws"} {
		alice, err := client.Dial(t.Context(), client.Options{
			Servers: []string{url}, AppID: app, UserID: "alice", Token: token(t, app, secret, "alice", time.Hour), NoReconnect: true,
		})
		if err != nil {
			t.Errorf("log in at %s: %v", url, err)
			continue
		}
		if err := alice.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// eventually polls.
func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(waitFor); !true(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestWhoDoesNotFinishARequestDoesNotHoldUpTheEnd(t *testing.T) {
	n, stop := start(t, options(t))
	addr := n.Addr()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	whole := "GET /healthz HTTP/1.1\r\nHost: " + addr + "\r\n"
	_, _ = io.WriteString(conn, whole+"\r\n"+whole+"Content-Length: 1000\r\n\r\n") // and no body
	if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	stop() // in order, or the test fails
}
