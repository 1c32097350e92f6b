package hostile

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
)

var apps = []App{{7, "0123456789abcdef0123456789abcdef"}, {8, "fedcba9876543210fedcba9876543210"}}

// victim is a node that waits less long for a hello than others.
func victim(t *testing.T) *node.Node {
	t.Helper()
	o := node.Options{Addr: "127.0.0.1:0", Data: t.TempDir(), Shards: 4, Timing: connection.Timing{Hello: 500 * time.Millisecond}, Log: slog.New(slog.DiscardHandler)}
	for _, a := range apps {
		o.Apps = append(o.Apps, node.App{App: auth.App{ID: a.ID, Secret: a.Secret}, Limits: chat.DefaultLimits()})
	}
	n, err := node.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestANodeGivesEveryAttackTheAnswerThatIsDueAndGoesOn(t *testing.T) {
	n := victim(t)
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			if got := a.make(t.Context(), n.Addr()); got != a.want {
				t.Errorf("answered %d, want %d", got, a.want)
			}
		})
	}
	if err := New(Options{Apps: apps}).Serves(t.Context(), n.URL()); err != nil {
		t.Error(err)
	}
}

func TestEveryBadTokenIsRefusedAsWhatItIs(t *testing.T) {
	n := victim(t)
	var record bytes.Buffer
	w := history.NewWriter(&record, history.Config{})
	h := New(Options{Apps: apps, Users: []string{"alice", "bob"}, History: w})
	for i := range 3 * len(badTokens) {
		bad := badTokens[i%len(badTokens)]
		if code, err := h.force(t.Context(), "n1", n.URL(), uint64(i)); code != bad.want || err != nil {
			t.Errorf("%s got %d, %v, want %d", bad.name, code, err, bad.want)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(record.String(), `"kind":"refused"`); n != 3*len(badTokens) {
		t.Errorf("%d refusals are recorded", n)
	}
}

func TestAnAttackThatIsNotAnsweredIsRecordedAsSuch(t *testing.T) {
	var record bytes.Buffer
	w := history.NewWriter(&record, history.Config{})
	h := New(Options{Apps: apps, History: w})
	answers, err := h.Attack(t.Context(), "n1", "http://127.0.0.1:1", 0) // where nobody listens
	if err != nil || len(answers) != 1 || answers[0] < len(attacks) {
		t.Errorf("%v, %v", answers, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(record.String(), `"kind":"rebuffed"`) {
		t.Errorf("recorded was %s", record.String())
	}
}
