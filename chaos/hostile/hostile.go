// Package hostile is those who mean a cluster no good: connections that break
// the protocol, and logins with tokens that are not theirs. It records what each
// of them got and judges nothing; chaos/fault has it come. All of it blocks.
package hostile

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// App is a tenant and the secret that signs its tokens.
type App struct {
	ID     chat.AppID
	Secret string
}

// Options say whom they are up against. All are needed; there are two apps or
// more.
type Options struct {
	Apps    []App
	Users   []string // that all apps have
	History *history.Writer
}

// Hostile are the attackers. Its methods may be called from any goroutine.
type Hostile struct {
	o    Options
	next atomic.Uint64 // numbers devices
}

// New makes the attackers.
func New(o Options) *Hostile { return &Hostile{o: o} }

// How hard they try, and how long they wait for an answer: the node may wait 5 s
// for a hello.
const (
	atOnce      = 12
	floodAtOnce = 16
	pace        = 50 * time.Millisecond
	answerTime  = 15 * time.Second
)

// Attack has connections to a node break the protocol in all ways, again and
// again for a time, and says how often it got which answer.
func (h *Hostile) Attack(ctx context.Context, node, url string, hold time.Duration) (answers map[int]int, err error) {
	answers = make(map[int]int)
	var mu sync.Mutex
	err = h.repeat(ctx, hold, atOnce, len(attacks), func(n uint64) {
		a := attacks[n%uint64(len(attacks))]
		got := a.make(ctx, strings.TrimPrefix(url, "http://"))
		if ctx.Err() != nil {
			return
		}
		h.o.History.Record(history.Event{Kind: history.KindRebuffed, Node: node, Text: a.name, Code: chat.Code(got), Want: chat.Code(a.want)})
		mu.Lock()
		defer mu.Unlock()
		answers[got]++
	})
	return answers, err
}

// repeat has something done by so many at a time, until a time is over and it was
// done often enough.
func (h *Hostile) repeat(ctx context.Context, hold time.Duration, workers, least int, do func(n uint64)) error {
	until := time.Now().Add(hold)
	var made atomic.Uint64
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for ctx.Err() == nil {
				n := made.Add(1) - 1
				if n >= uint64(least) && time.Now().After(until) {
					return
				}
				do(n)
				select {
				case <-ctx.Done():
				case <-time.After(pace):
				}
			}
		})
	}
	running.Wait()
	return ctx.Err()
}

// Serves gives nil when a user with a good token is let in by the node.
func (h *Hostile) Serves(ctx context.Context, url string) error {
	app := h.o.Apps[0]
	token, err := auth.Generate04(app.ID, visitor, app.Secret, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	c, err := h.login(ctx, url, app.ID, visitor, token)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// visitor is the one who means well.
const visitor = "visitor"

func (h *Hostile) login(ctx context.Context, url string, app chat.AppID, user, token string) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return client.Dial(ctx, client.Options{
		Servers: []string{url}, AppID: app, UserID: user, Token: token, DeviceID: h.device(), NoReconnect: true,
	})
}

func (h *Hostile) device() string { return fmt.Sprintf("hostile%d", h.next.Add(1)) }
