package connection

import (
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
)

// Bounds of admission.
const (
	admitTime   = 500 * time.Millisecond // target queueing delay under sustained load
	admitWindow = 100 * time.Millisecond
	admitMemory = 10  // windows: a queue that has stood for so long is no burst
	admitAlways = 512 // requests that may wait, however slow the node is

	maxUserConnections = 32 // of a user, dead ones that are not noticed yet among them
)

// Admission keeps a node's clients from asking more than is answered in time.
// Without it what is offered above the capacity only waits, until answers come
// when nobody expects them any more, and all of the node's work is for nothing.
//
// A burst is let in whole. Only a queue that has not been shorter than what is
// answered in admitTime during the whole of the last second means too much load:
// until it is half as long, requests above that length are refused, as Busy. What
// counts is what was asked and answered, so it needs no idea of what is slow:
// processors, the disk, a quorum or another node.
//
// Nobody is refused for what others do: an app that has less than its share of
// that length waiting gets in all the same, and so does a user with less than a
// share of the app's. The shares are those of the apps, and of the app's users,
// that have requests waiting, so that at most three times the length is let in.
type Admission struct {
	mu      sync.Mutex
	begun   time.Time
	waiting int
	refused uint64
	limit   int // above which requests are refused; 0: none are
	current int // number of the window that is being filled
	windows [admitMemory]struct{ answered, least int }
	tenants map[chat.AppID]*tenant
	busy    int // tenants with requests that wait
}

// tenant is an app with users on this node.
type tenant struct {
	app         chat.AppID
	waiting     int
	accounts    map[string]*account
	busy        int // accounts with requests that wait
	connections int // of all accounts
}

// account is a user with connections to this node.
type account struct {
	user        string
	tenant      *tenant
	waiting     int
	connections int
}

// NewAdmission gives one that lets everything in.
func NewAdmission() *Admission {
	return &Admission{begun: time.Now(), tenants: make(map[chat.AppID]*tenant)}
}

// open gives the account of a connection's user, until close; nil when the user
// has too many connections, or the app has as many as it may (0: any number).
func (a *Admission) open(u chat.UserKey, appConnections int) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[u.App]
	if t != nil && appConnections > 0 && t.connections >= appConnections {
		return nil
	}
	if t == nil {
		t = &tenant{app: u.App, accounts: make(map[string]*account)}
		a.tenants[u.App] = t
	}
	acct := t.accounts[u.ID]
	if acct == nil {
		acct = &account{user: u.ID, tenant: t}
		t.accounts[u.ID] = acct
	}
	if acct.connections >= maxUserConnections {
		return nil
	}
	acct.connections++
	t.connections++
	return acct
}

// close ends a connection, whose remaining requests nobody waits for.
func (a *Admission) close(acct *account, remaining int) {
	a.leave(acct, remaining)
	a.mu.Lock()
	defer a.mu.Unlock()
	acct.tenant.connections--
	if acct.connections--; acct.connections > 0 {
		return
	}
	delete(acct.tenant.accounts, acct.user)
	if len(acct.tenant.accounts) == 0 {
		delete(a.tenants, acct.tenant.app)
	}
}

// enter counts a request, or says that there are too many; one that must be let
// in never is too much.
func (a *Admission) enter(acct *account, must bool) bool {
	return a.enterAt(time.Since(a.begun), acct, must)
}

func (a *Admission) enterAt(now time.Duration, acct *account, must bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	if a.limit > 0 && a.waiting >= a.limit && !must && !a.belowShare(acct) {
		a.refused++
		return false
	}
	a.count(acct, 1)
	return true
}

// belowShare says whether the account's app, or within it the account, has less
// waiting than its share of the limit.
func (a *Admission) belowShare(acct *account) bool {
	t := acct.tenant
	tenants, accounts := a.busy, t.busy
	if t.waiting == 0 {
		tenants++
	}
	if acct.waiting == 0 {
		accounts++
	}
	share := a.limit / tenants
	return t.waiting < share || acct.waiting < share/accounts
}

// leave counts answers, or requests whose clients have gone.
func (a *Admission) leave(acct *account, n int) { a.leaveAt(time.Since(a.begun), acct, n) }

func (a *Admission) leaveAt(now time.Duration, acct *account, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	a.count(acct, -n)
	w := &a.windows[a.current%admitMemory]
	w.answered += n
	w.least = min(w.least, a.waiting)
}

// count adds n to what waits.
func (a *Admission) count(acct *account, n int) {
	t := acct.tenant
	a.waiting += n
	a.busy += turned(&t.waiting, n)
	t.busy += turned(&acct.waiting, n)
}

// turned adds n to a count: 1 says that it was 0 and is no longer, -1 that it is
// 0 now.
func turned(count *int, n int) int {
	was := *count
	*count += n
	switch {
	case was == 0 && *count > 0:
		return 1
	case was > 0 && *count == 0:
		return -1
	}
	return 0
}

// roll begins the windows up to now, and judges again when there are any.
func (a *Admission) roll(now time.Duration) {
	number := int(now / admitWindow)
	if number <= a.current {
		return
	}
	answered, least := 0, a.waiting
	for _, w := range a.windows {
		answered += w.answered
		least = min(least, w.least)
	}
	for a.current = max(a.current, number-admitMemory); a.current < number; {
		a.current++
		w := &a.windows[a.current%admitMemory]
		w.answered, w.least = 0, a.waiting
	}
	limit := max(admitAlways, int(int64(answered)*int64(admitTime)/int64(admitMemory*admitWindow)))
	switch {
	case least > limit, a.limit > 0 && least > limit/2:
		a.limit = limit
	default:
		a.limit = 0
	}
}

// Waiting is how many requests await their answer.
func (a *Admission) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}

// Refused is how many requests were refused because too many waited.
func (a *Admission) Refused() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}
