package workload

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// fork draws a generator of its own from another one.
func fork(rng *rand.Rand) *rand.Rand { return rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())) }

// Settle waits until all devices that are online have all that was
// acknowledged, or ctx ends; it says what lacks then. Call it after Stop.
func (w *Workload) Settle(ctx context.Context) (lacks int) {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		if lacks = w.lacking(); lacks == 0 {
			return 0
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return lacks
		}
	}
}

// lacking counts the conversations in which a device lags.
func (w *Workload) lacking() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, h := range w.heads {
		a, b, _ := history.Peers(at.conv)
		for d := range w.devices {
			if d.app.ID != at.app || d.user != a && d.user != b || d.node != "" || d == h.by || h.sent < d.since {
				continue
			}
			d.mu.Lock()
			if d.seen[at.conv] < h.seq {
				n++
			}
			d.mu.Unlock()
		}
	}
	return n
}

// Final records that the workload is over.
func (w *Workload) Final() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.final = true
	w.record(history.Event{Kind: history.KindFinal})
}

// Conversation is one that the workload has used.
type Conversation struct {
	App  chat.AppID
	Name string // history.Peer
}

// Conversations are all that were written to, in order.
func (w *Workload) Conversations() (all []Conversation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at := range w.heads {
		all = append(all, Conversation{at.app, at.conv})
	}
	slices.SortFunc(all, func(a, b Conversation) int {
		if a.App != b.App {
			return int(a.App) - int(b.App)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// Audit reads every list and every conversation from its beginning through one
// node, as its first user. It comes after Final and Close. What is refused is
// in the history; the error is that of the first that stays so.
func (w *Workload) Audit(ctx context.Context, at Server) error {
	w.ctx = ctx
	var first error
	for i, all := 0, w.Conversations(); i < len(all); {
		user, _, _ := history.Peers(all[i].Name)
		app := all[i].App
		d, err := w.auditor(ctx, app, user, at)
		if err == nil {
			err = d.lists(ctx)
		}
		for ; i < len(all) && all[i].App == app && strings.HasPrefix(all[i].Name, "peer:"+user+"/"); i++ {
			if err == nil {
				_, peer, _ := history.Peers(all[i].Name)
				err = d.whole(ctx, peer)
			}
		}
		if d != nil {
			d.logout(nil)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// auditor logs in, in a few attempts.
func (w *Workload) auditor(ctx context.Context, id chat.AppID, user string, at Server) (d *device, err error) {
	app := w.o.Apps[slices.IndexFunc(w.o.Apps, func(a App) bool { return a.ID == id })]
	for range auditAttempts {
		if d, err = w.thin(app, user, "audit", at); err == nil {
			return d, nil
		}
		if !rest(ctx) {
			break
		}
	}
	return nil, err
}

// lists reads the user's list, in a few attempts.
func (d *device) lists(ctx context.Context) (err error) {
	for range auditAttempts {
		if err = d.list(sendTimeout); err == nil || !again(err) || !rest(ctx) {
			break
		}
	}
	return err
}

// whole reads a conversation to its end, each page in a few attempts.
func (d *device) whole(ctx context.Context, peer string) error {
	failed := 0
	for after := uint64(0); ; {
		last, head, err := d.history(client.HistoryRequest{Peer: peer, After: after, Count: pageSize}, sendTimeout)
		switch {
		case err != nil && failed < auditAttempts && again(err):
			failed++
			if !rest(ctx) {
				return err
			}
		case err != nil || last >= head || last == 0:
			return err
		default:
			after = last
		}
	}
}

// auditAttempts is how often an audit tries what others would try again too.
const auditAttempts = 100

// rest waits before the next attempt; false when ctx has ended.
func rest(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(200 * time.Millisecond):
		return true
	}
}
