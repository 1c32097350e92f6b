package workload

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// How long calls may take before a user gives up.
const (
	dialTimeout   = 5 * time.Second
	sendTimeout   = 8 * time.Second
	thinTimeout   = 4 * time.Second
	attemptTime   = 3 * time.Second
	closeTimeout  = 2 * time.Second
	tokenValidity = 6 * time.Hour
)

// device is one login.
type device struct {
	w      *Workload
	app    App
	user   string
	name   string
	node   string // of a thin one, the only node that it knows; else empty
	client *client.Client
	since  int64 // when it had logged in, the run's time

	ready chan struct{} // closed when the login is recorded
	once  sync.Once     // the logout

	mu   sync.Mutex
	seen map[string]uint64 // by conversation: the last seq that was received or acknowledged here
}

// event has what all events of the device have.
func (d *device) event(kind history.Kind) history.Event {
	return history.Event{Kind: kind, App: d.app.ID, User: d.user, Device: d.name, Node: d.node}
}

func token(app App, user string, ttl time.Duration) (string, error) {
	return auth.Generate04(app.ID, user, app.Secret, ttl, time.Now(), rand.Reader)
}

// enroll makes a user exist: only who has logged in once can be written to.
func (w *Workload) enroll(ctx context.Context, app App, user string) error {
	for {
		d, err := w.thin(app, user, "enroll", w.o.Servers()[0])
		if err == nil {
			d.logout(nil)
			return nil
		}
		if !rest(ctx) {
			return err
		}
	}
}

// stay logs in and keeps the login up, over whichever nodes, and unless nil over
// sockets of its own; nil when the talk ended before.
func (a *actor) stay(user, name string, over *http.Client) *device {
	for {
		all := a.w.o.Servers()
		first := a.rng.IntN(len(all))
		var urls []string
		for i := range all {
			urls = append(urls, all[(first+i)%len(all)].URL)
		}
		d := a.w.device(a.app, user, name)
		err := d.dial(client.Options{
			Servers: urls, OnMessage: d.received, AttemptTimeout: attemptTime, MaxBackoff: time.Second, HTTPClient: over,
			OnState: func(s client.State, cause error) {
				if s == client.StateDisconnected {
					d.logout(cause)
				}
			},
		}, tokenValidity)
		if err == nil {
			return d
		}
		if !a.pause(200 * time.Millisecond) {
			return nil
		}
	}
}

// thin logs in on one node, where every call is one attempt.
func (w *Workload) thin(app App, user, name string, at Server) (*device, error) {
	d := w.device(app, user, name)
	d.node = at.Name
	return d, d.dial(client.Options{Servers: []string{at.URL}, NoReconnect: true, AttemptTimeout: attemptTime}, tokenValidity)
}

func (w *Workload) device(app App, user, name string) *device {
	return &device{w: w, app: app, user: user, name: name, ready: make(chan struct{}), seen: make(map[string]uint64)}
}

// dial makes the login, or records why there is none.
func (d *device) dial(o client.Options, ttl time.Duration) (err error) {
	if o.Token == "" {
		if o.Token, err = token(d.app, d.user, ttl); err != nil {
			return fmt.Errorf("make a token: %w", err)
		}
	}
	o.AppID, o.UserID, o.DeviceID = d.app.ID, d.user, d.name
	if o.HTTPClient == nil {
		o.HTTPClient = d.w.sockets.open
	}
	ctx, cancel := context.WithTimeout(d.w.ctx, dialTimeout)
	defer cancel()
	call := d.w.o.History.Now()
	if d.client, err = client.Dial(ctx, o); err != nil {
		e := d.event(history.KindRefused)
		e.Call, e.Code, e.Text = call, chat.CodeOf(err), err.Error()
		d.w.record(e)
		return err
	}
	e := d.event(history.KindLogin)
	e.Call = call
	d.since = d.w.record(e)
	d.w.mu.Lock()
	d.w.devices[d] = true
	d.w.mu.Unlock()
	close(d.ready)
	return nil
}

// logout records that the device is no longer online, and ends it.
func (d *device) logout(cause error) {
	d.once.Do(func() {
		d.w.mu.Lock()
		delete(d.w.devices, d)
		final := d.w.final
		d.w.mu.Unlock()
		if !final {
			e := d.event(history.KindLogout)
			e.Code = chat.CodeOf(cause)
			d.w.record(e)
		}
	})
	if cause == nil && d.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = d.client.Close(ctx)
	}
}

// received is the app's callback. What comes before the login is recorded
// waits.
func (d *device) received(m client.Message) {
	<-d.ready
	e := d.event(history.KindRecv)
	d.fill(&e, m)
	d.w.record(e)
	d.w.counts.received.Add(1)
	d.saw(e.Conversation, m.Seq)
}

// fill tells a message in an event.
func (d *device) fill(e *history.Event, m client.Message) {
	e.Conversation = history.Peer(d.user, m.Peer)
	e.Seq, e.Cmid, e.Sender = m.Seq, hexID(m.ClientMessageID), m.Sender
	e.Digest, e.Canary = digest(m.Body), canary(m.Body)
}

func (d *device) saw(conv string, seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[conv] = max(d.seen[conv], seq)
}
