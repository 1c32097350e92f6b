package load_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/load"
	"github.com/parley-im/parley/node"
)

// asPart has the test's program be a part of a run of several processes.
const asPart = "PARLEY_LOAD_PART"

func TestMain(m *testing.M) {
	if os.Getenv(asPart) != "" {
		if err := load.Part(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var app = auth.App{ID: 7, Secret: "0123456789abcdef0123456789abcdef"}

func startNode(t *testing.T) string {
	t.Helper()
	n, err := node.Start(t.Context(), node.Options{
		Addr: "127.0.0.1:0", Data: t.TempDir(), Shards: 8, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Apps: []node.App{{App: app, Limits: chat.DefaultLimits()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return n.URL()
}

func plan(url string, change func(*load.Plan)) load.Plan {
	p := load.Plan{Targets: []string{url}, App: app, Users: 20, Scenario: load.Peer, Duration: 2 * time.Second, Size: 50, Run: "t", PIDs: []int{os.Getpid()}}
	change(&p)
	return p
}

func TestRuns(t *testing.T) {
	url := startNode(t)
	for name, change := range map[string]func(*load.Plan){
		"open":    func(p *load.Plan) { p.Rate = 100 },
		"closed":  func(p *load.Plan) { p.Closed = 1 },
		"cold":    func(p *load.Plan) { p.Scenario, p.Rate, p.Users = load.Cold, 50, 40 },
		"connect": func(p *load.Plan) { p.Scenario, p.Ramp = load.Connect, 200*time.Millisecond },
		"mixed":   func(p *load.Plan) { p.Scenario, p.Rate = load.Mixed, 200 },
		"storm":   func(p *load.Plan) { p.Scenario, p.Rate, p.Storm = load.Mixed, 200, 10 },
		"deaf":    func(p *load.Plan) { p.Rate, p.Deaf = 100, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(url, change)
			p.Run = name
			if err := p.Check(); err != nil {
				t.Fatal(err)
			}
			r, err := load.Run(t.Context(), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Checked || r.BrokenCount() > 0 || r.Unanswered > 0 {
				t.Errorf("checked %v, %v broken, %d unanswered: %v", r.Checked, r.Broken, r.Unanswered, r.Wrong)
			}
			if spoke := p.Scenario != load.Connect; (r.Acked > 0) != spoke || r.Ack.Count != r.Acked && p.Deaf == 0 || r.Login.Count < int64(p.Users) {
				t.Errorf("%d acknowledged, %d measured, refused %v, %d logins", r.Acked, r.Ack.Count, r.Refused, r.Login.Count)
			}
			if p.Scenario == load.Mixed && (r.Page.Count == 0 || r.Reconnects == 0) {
				t.Errorf("%d pages, %d reconnects", r.Page.Count, r.Reconnects)
			}
			if s := r.Storm; p.Storm > 0 && (s == nil || s.Sessions != p.Storm || s.Missing != 0 || r.Reconnects < int64(p.Storm)) {
				t.Errorf("the storm is %+v, with %d reconnects", s, r.Reconnects)
			}
			// Differences of large sums of hundredths: equal ones may differ by a bit.
			const bit = 1e-6
			if m := r.Machine; m.Cores == 0 || m.Busy <= 0 || m.Seconds < m.Busy+m.Stolen-bit || m.Seconds > 2*float64(m.Cores)*r.Seconds {
				t.Errorf("in %.1f s the machine is said to have done %+v", r.Seconds, m)
			}
			var page bytes.Buffer
			if err := load.WritePage(&page, r); err != nil || !strings.Contains(page.String(), "<polyline") {
				t.Errorf("the page has no picture: %v", err)
			}
		})
	}
}

func TestPairsKnowEachOtherBeforeTheTalk(t *testing.T) {
	t.Parallel()
	p := plan(startNode(t), func(p *load.Plan) { p.Rate, p.Duration = 1, time.Second })
	r, err := load.Run(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Acked >= int64(p.Users/2) || r.Ack.Count != r.Acked {
		t.Errorf("%d acknowledged, %d measured: so few were to be said", r.Acked, r.Ack.Count)
	}
	for i := 0; i < p.Users; i += 2 {
		user, partner := fmt.Sprintf("load%s-%d", p.Run, i), fmt.Sprintf("load%s-%d", p.Run, i+1)
		token, err := auth.Generate04(app.ID, user, app.Secret, time.Hour, time.Now(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Dial(t.Context(), client.Options{Servers: p.Targets, AppID: app.ID, UserID: user, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		h, err := c.History(t.Context(), client.HistoryRequest{Peer: partner, Count: 1})
		if err != nil || len(h.Messages) == 0 {
			t.Errorf("%s and %s have said nothing: %v", user, partner, err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestSeveralProcessesMakeOneRun(t *testing.T) {
	t.Parallel()
	p := plan(startNode(t), func(p *load.Plan) { p.Rate, p.Storm = 120, 4 })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, self)
		cmd.Env = append(os.Environ(), asPart+"=1")
		return cmd
	}
	r, err := load.RunParts(t.Context(), p, 3, command, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Users != p.Users || r.Plan.Rate != p.Rate || r.Ack.Count != r.Acked || r.Acked < 200 || !r.Checked || r.BrokenCount() > 0 {
		t.Errorf("together they are %+v: %d acknowledged, %d measured, broken %v", r.Plan, r.Acked, r.Ack.Count, r.Broken)
	}
	if s := r.Storm; s == nil || s.Sessions != p.Storm || s.Missing > 0 || s.Before.Count == 0 || s.During.Count == 0 {
		t.Errorf("the storm is %+v", s)
	}
}

func TestAPlanThatMakesNoSenseIsRefused(t *testing.T) {
	for want, change := range map[string]func(*load.Plan){
		"--target":               func(p *load.Plan) { p.Targets = []string{"localhost:8080"} },
		"names no node":          func(p *load.Plan) { p.Targets = nil },
		"--users":                func(p *load.Plan) { p.Users = 3 },
		"no scenario":            func(p *load.Plan) { p.Scenario = "dance" },
		"one of --rate":          func(p *load.Plan) { p.Closed = 2 },
		"leave --rate":           func(p *load.Plan) { p.Scenario = load.Connect },
		"--duration":             func(p *load.Plan) { p.Duration = 0 },
		"--size":                 func(p *load.Plan) { p.Size = 1 << 20 },
		"--storm must":           func(p *load.Plan) { p.Storm = 200 },
		"--deaf must not":        func(p *load.Plan) { p.Deaf, p.Storm = 2, 2 },
		"--deaf must not be abo": func(p *load.Plan) { p.Deaf = 21 },
	} {
		p := plan("http://127.0.0.1:1", func(p *load.Plan) { p.Rate = 10 })
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is expected, it says %v", want, err)
		}
	}
}

func TestThresholds(t *testing.T) {
	good := load.Result{AckedRate: 100, Ack: load.Latency{P99: 10}, EndToEnd: load.Latency{P99: 20}, Storm: &load.Storm{Seconds: 3}}
	keeps := load.Thresholds{MinRate: 100, MaxP99: 10 * time.Millisecond, MaxE2EP99: 20 * time.Millisecond, MaxStorm: 3 * time.Second}
	if err := keeps.Check(good); err != nil {
		t.Errorf("what is kept is said to be missed: %v", err)
	}
	for name, th := range map[string]load.Thresholds{
		"rate": {MinRate: 101}, "p99": {MaxP99: 9 * time.Millisecond}, "e2e": {MaxE2EP99: 19 * time.Millisecond}, "storm": {MaxStorm: 2 * time.Second},
	} {
		if err := th.Check(good); !errors.Is(err, load.ErrThreshold) {
			t.Errorf("%s: missed, but %v", name, err)
		}
	}
	bad := good
	bad.Broken = map[string]int{"lost": 1}
	if err := keeps.Check(bad); !errors.Is(err, load.ErrBroken) {
		t.Errorf("a lost message is %v", err)
	}
	bad = good
	bad.Storm = &load.Storm{Missing: 1}
	if err := keeps.Check(bad); !errors.Is(err, load.ErrThreshold) {
		t.Errorf("a session that is missing is %v", err)
	}
}
