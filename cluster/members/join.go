package members

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// rejoinTime is for how long a node that vanished is looked for.
const rejoinTime = 10 * time.Minute

func jitter(most time.Duration) time.Duration { return rand.N(most) }

// errand is what is done away from the goroutine that calls back, because it
// dials and resolves names.
type errand struct {
	tell  []Node          // had been given up and are back
	dial  []string        // where nodes that vanished gossiped
	there map[string]bool // where live nodes gossip, whatever their cluster
}

// errand lists who is to be told and who is missing.
func (m *Members) errand() errand {
	e := errand{there: make(map[string]bool)}
	m.mu.Lock()
	for _, h := range m.heard {
		e.there[h.Address()] = true
	}
	m.mu.Unlock()
	for _, n := range m.lost {
		switch {
		case n.back:
			e.tell = append(e.tell, m.live[n.ID])
		case time.Since(n.since) < rejoinTime && !e.there[n.Gossip]:
			e.dial = append(e.dial, n.Gossip)
		}
	}
	return e
}

// do runs an errand, every node at the same time: one that is cut off takes as
// long as a dial may. It returns who was told.
func (m *Members) do(e errand) (told []Node) {
	var dialing sync.WaitGroup
	defer dialing.Wait()
	for _, addr := range m.missing(e) {
		dialing.Go(func() {
			if _, err := m.list.Join([]string{addr}); err != nil {
				m.o.Log.Debug("node not joined", "gossip", addr, "error", err)
			}
		})
	}
	var mu sync.Mutex
	var telling sync.WaitGroup
	for _, n := range e.tell {
		telling.Go(func() {
			if err := m.tellEvicted(n); err != nil {
				m.o.Log.Debug("a node was not told that it had been given up", "node", n.ID, "error", err)
				return
			}
			mu.Lock()
			told = append(told, n)
			mu.Unlock()
		})
	}
	telling.Wait()
	return told
}

// missing are addresses of nodes that should be there: those that vanished, and
// what the seeds' names stand for.
func (m *Members) missing(e errand) []string {
	all := make(map[string]bool)
	for _, addr := range e.dial {
		all[addr] = true
	}
	for _, seed := range m.o.Seeds {
		found, err := m.resolve(seed)
		if err != nil {
			m.o.Log.Debug("seed not found", "seed", seed, "error", err)
		}
		for _, addr := range found {
			if !e.there[addr] {
				all[addr] = true
			}
		}
	}
	out := make([]string, 0, len(all))
	for addr := range all {
		out = append(out, addr)
	}
	return out
}

// resolve gives all addresses that a seed stands for, without this node's own.
func (m *Members) resolve(seed string) (all []string, err error) {
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(m.ctx, m.o.Timing.Rejoin)
	defer cancel()
	found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range found {
		if port != strconv.Itoa(m.port) || !m.own(ip.IP) {
			all = append(all, net.JoinHostPort(ip.String(), port))
		}
	}
	return all, nil
}

// own says whether this node listens at ip: at every address of this machine if
// it is bound to none.
func (m *Members) own(ip net.IP) bool {
	bound, err := net.ResolveTCPAddr("tcp", m.o.Bind)
	if err != nil || len(bound.IP) > 0 && !bound.IP.IsUnspecified() {
		return err == nil && bound.IP.Equal(ip)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if at, ok := a.(*net.IPNet); ok && at.IP.Equal(ip) {
			return true
		}
	}
	return false
}

// evictedMessage is what a node gets that comes back from the dead.
var evictedMessage = []byte("evicted")

func (m *Members) tellEvicted(n Node) error {
	at, err := net.ResolveTCPAddr("tcp", n.Gossip)
	if err != nil {
		return err
	}
	return m.list.SendReliable(&memberlist.Node{Name: n.name(), Addr: at.IP, Port: uint16(at.Port)}, evictedMessage)
}
