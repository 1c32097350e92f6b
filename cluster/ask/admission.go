package ask

import (
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
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
	busy    int        // tenants with requests that wait
	resting []*Account // without connections, whose allowances are not whole again
}

// tenant is an app with users on this node.
type tenant struct {
	app         chat.AppID
	waiting     int
	accounts    map[string]*Account
	busy        int // accounts with requests that wait
	connections int // of all accounts
}

// Account is a user with connections to this node.
type Account struct {
	user        string
	tenant      *tenant
	waiting     int
	connections int // and calls that have none
	spent       allowances
}

// NewAdmission gives one that lets everything in.
func NewAdmission() *Admission {
	return &Admission{begun: time.Now(), tenants: make(map[chat.AppID]*tenant)}
}

// Open gives the account of a connection's user, until Close; nil when the user
// has too many connections, or the app has as many as it may (0: any number).
func (a *Admission) Open(u chat.UserKey, appConnections int) *Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[u.App]
	if t != nil && appConnections > 0 && t.connections >= appConnections {
		return nil
	}
	if t == nil {
		t = &tenant{app: u.App, accounts: make(map[string]*Account)}
		a.tenants[u.App] = t
	}
	acct := t.accounts[u.ID]
	if acct == nil {
		acct = &Account{user: u.ID, tenant: t}
		t.accounts[u.ID] = acct
	}
	if acct.connections >= maxUserConnections {
		return nil
	}
	acct.connections++
	t.connections++
	return acct
}

// Close ends a connection, whose remaining requests nobody waits for.
func (a *Admission) Close(acct *Account, remaining int) {
	a.Leave(acct, remaining)
	a.mu.Lock()
	defer a.mu.Unlock()
	acct.tenant.connections--
	if acct.connections--; acct.connections == 0 {
		a.resting = append(a.resting, acct)
		a.forget(time.Since(a.begun))
	}
}

// forget drops accounts that nobody uses and that would begin as they are.
func (a *Admission) forget(now time.Duration) {
	a.resting = slices.DeleteFunc(a.resting, func(acct *Account) bool {
		if acct.connections > 0 {
			return true
		}
		if !acct.spent.whole(now) {
			return false
		}
		delete(acct.tenant.accounts, acct.user)
		if len(acct.tenant.accounts) == 0 {
			delete(a.tenants, acct.tenant.app)
		}
		return true
	})
}

// Enter counts a request, or refuses it: the user has asked too much of its rate
// class, or the node has too much to do. What has no method is of the node's own
// and let in.
func (a *Admission) Enter(acct *Account, m *method.Method) error {
	return a.enterAt(time.Since(a.begun), acct, m)
}

func (a *Admission) enterAt(now time.Duration, acct *Account, m *method.Method) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	if m != nil {
		if a.limit > 0 && a.waiting >= a.limit && !a.belowShare(acct) {
			a.refused++
			return errOverloaded
		}
		if err := acct.spent.spend(now, m.Rate); err != nil {
			a.refused++
			return err
		}
	}
	a.count(acct, 1)
	return nil
}

// Spend lets a request in that is answered at once, or refuses it for its rate
// class.
func (a *Admission) Spend(acct *Account, m *method.Method) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := acct.spent.spend(time.Since(a.begun), m.Rate)
	if err != nil {
		a.refused++
	}
	return err
}

var errOverloaded = chat.Errorf(chat.CodeBusy, "request", "the node has more to do than it manages; try again later")

// belowShare says whether the account's app, or within it the account, has less
// waiting than its share of the limit.
func (a *Admission) belowShare(acct *Account) bool {
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

// Leave counts answers, or requests whose clients have gone.
func (a *Admission) Leave(acct *Account, n int) { a.leaveAt(time.Since(a.begun), acct, n) }

func (a *Admission) leaveAt(now time.Duration, acct *Account, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	a.count(acct, -n)
	w := &a.windows[a.current%admitMemory]
	w.answered += n
	w.least = min(w.least, a.waiting)
}

// count adds n to what waits.
func (a *Admission) count(acct *Account, n int) {
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
	a.forget(now)
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

// Refused is how many requests were refused: too many waited, or a user asked too
// often.
func (a *Admission) Refused() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}
