package check

import (
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

func plantsInReads() []plant {
	return []plant{
		{"a read does not see an acknowledged message", Stale, []Class{Linear}, func(g *garden) bool {
			sends := map[uint64]*history.Event{}
			for i := range g.all {
				if g.all[i].Kind == history.KindSend {
					sends[g.all[i].Op] = &g.all[i]
				}
			}
			i := g.pick(of(history.KindOK))
			send := sends[g.all[i].Op]
			return g.insert(i+1, history.Event{
				At: g.all[i].At + 1, Call: g.all[i].At + 1, Kind: history.KindHead, Op: 1 << 40, App: send.App, User: send.User, Device: send.Device,
				Conversation: send.Conversation, Seq: g.all[i].Seq - 1,
			}) && g.all[i+2].At > g.all[i].At
		}},
		{"a device's head runs back", Stale, []Class{Linear}, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindHead && e.Seq > 0 && g.all[i+1].At > e.At
			})
			if i < 0 {
				return false
			}
			back := g.all[i]
			back.Op, back.At, back.Call, back.Seq, back.First, back.Last = 1<<40, back.At+1, back.At+1, back.Seq-1, 0, 0
			return g.insert(i+1, back)
		}},
		{"a read tells more than there ever was", Lost, []Class{Linear}, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool { return e.Kind == history.KindUnread && i > g.final() })
			if i < 0 {
				return false
			}
			more := g.all[i]
			more.Kind, more.Op, more.Seq = history.KindHead, 1<<40, more.Seq+1
			more.At, more.Call = g.all[g.final()].At, g.all[g.final()].At-1
			return g.insert(g.final(), more)
		}},
		{"a page lacks a message", Gap, nil, func(g *garden) bool {
			i := g.pick(of(history.KindFetched))
			op := g.all[i].Op
			n := 0
			for _, e := range g.all {
				if e.Op == op && e.Kind == history.KindFetched {
					n++
				}
			}
			return n > 1 && g.remove(func(e *history.Event) bool {
				return e.Kind == history.KindFetched && e.Op == op && e.Seq == g.all[i].Seq
			})
		}},
		{"a page shows a message in another conversation", Phantom, []Class{Linear}, func(g *garden) bool {
			other := g.pick(of(history.KindSend))
			return g.change(func(i int, e *history.Event) bool {
				return i > other && e.Kind == history.KindFetched && e.App == g.all[other].App && e.Conversation != g.all[other].Conversation
			}, func(e *history.Event) { e.Cmid = g.all[other].Cmid })
		}},
	}
}

func plantsInUsers() []plant {
	return []plant{
		{"an unread count is wrong", Unread, nil, func(g *garden) bool {
			return g.change(of(history.KindUnread), func(e *history.Event) { e.Unread++ })
		}},
		{"a read mark runs back", Unread, nil, func(g *garden) bool {
			marked := func(u *history.Event) int {
				return g.pick(func(_ int, e *history.Event) bool {
					return e.Kind == history.KindMarked && e.Seq > 0 && sameLog(e, u) && e.User == u.User
				})
			}
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindUnread && i > g.final() && marked(e) >= 0
			})
			if i < 0 {
				return false
			}
			back := g.all[i]
			back.Read = g.all[marked(&back)].Seq - 1
			back.Unread = g.others(&back)
			return g.insert(g.final(), back)
		}},
		{"a token ends unnoticed", Auth, nil, func(g *garden) bool {
			return g.change(func(i int, e *history.Event) bool {
				return e.Kind == history.KindToken && g.activeAfter(i, 31*time.Second)
			}, func(e *history.Event) { e.Expires = e.At + 1 })
		}},
		{"a forged token lets somebody in", Auth, nil, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool { return e.Kind == history.KindLogout && i < g.final() })
			if i < 0 {
				return false
			}
			forger := history.Event{Kind: history.KindToken, App: g.all[i].App, User: g.all[i].User, Device: "forger", Expires: history.Never}
			in, out := forger, forger
			in.Kind, in.Call, in.Expires = history.KindLogin, g.all[i].At, 0
			out.Kind, out.Expires = history.KindLogout, 0
			return g.insert(i+1, forger, in, out)
		}},
		{"a token is revoked unnoticed", Auth, nil, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindToken && g.activeAfter(i, 6*time.Second)
			})
			return i >= 0 && g.insert(i+1, history.Event{Kind: history.KindRevoked, App: g.all[i].App, User: g.all[i].User})
		}},
	}
}

// others counts the entries of others that an unread event is about.
func (g *garden) others(u *history.Event) (n uint64) {
	senders := map[uint64]string{}
	for i := range g.all {
		if e := &g.all[i]; e.Kind == history.KindLog && sameLog(e, u) && e.Seq > u.Read && e.Seq <= u.Seq {
			senders[e.Seq] = e.Sender
		}
	}
	for _, sender := range senders {
		if sender != u.User {
			n++
		}
	}
	return n
}

// activeAfter says whether the device of a token reads something so much later,
// before it gets another token.
func (g *garden) activeAfter(i int, wait time.Duration) bool {
	t := &g.all[i]
	for _, e := range g.all[i+1 : g.final()] {
		if e.App != t.App || e.User != t.User || e.Device != t.Device {
			continue
		}
		if e.Kind == history.KindToken {
			return false
		}
		if (e.Kind == history.KindHead || e.Kind == history.KindUnread) && e.Call > t.At+int64(wait) {
			return true
		}
	}
	return false
}

func plantsInOutcomes() []plant {
	busy := func(_ int, e *history.Event) bool {
		return e.Kind == history.KindFail && (e.Code == chat.CodeBusy || e.Code == chat.CodeUnavailable)
	}
	return []plant{
		{"a retry is acknowledged at another place", Dup, []Class{Reorder}, func(g *garden) bool {
			first := map[string]bool{}
			call := map[uint64]string{}
			return g.change(func(_ int, e *history.Event) bool {
				if e.Kind == history.KindSend {
					call[e.Op] = e.Cmid
				}
				if e.Kind != history.KindOK || e.Seq == 1 {
					return false
				}
				again := first[call[e.Op]]
				first[call[e.Op]] = true
				return again
			}, func(e *history.Event) { e.Seq-- })
		}},
		{"a retry is refused as another message", Dup, nil, func(g *garden) bool {
			return g.change(busy, func(e *history.Event) { e.Code = chat.CodeIDConflict })
		}},
		{"a seq is below one that was known", Reorder, []Class{Linear, Lost, Dup}, func(g *garden) bool {
			return g.change(func(i int, e *history.Event) bool { return e.Kind == history.KindOK && e.Seq > 1 },
				func(e *history.Event) { e.Seq-- })
		}},
		{"a seq is garbage", Gap, Classes, func(g *garden) bool {
			return g.change(func(_ int, e *history.Event) bool {
				return e.Seq > 0 && e.Kind != history.KindReplica && e.Kind != history.KindMarked
			},
				func(e *history.Event) { e.Seq = 1 << (20 + g.rng.IntN(44)) })
		}},
		{"a refusal has no code", Untyped, nil, func(g *garden) bool {
			return g.change(busy, func(e *history.Event) { e.Code = 0 })
		}},
		{"a refusal is an internal error", Untyped, nil, func(g *garden) bool {
			return g.change(busy, func(e *history.Event) { e.Code = chat.CodeInternal })
		}},
		{"a refusal is another one than is due", Untyped, nil, func(g *garden) bool {
			return g.change(func(_ int, e *history.Event) bool { return e.Kind == history.KindFail && !e.Code.Retryable() },
				func(e *history.Event) { e.Want = e.Code + 1 })
		}},
		{"a connection with garbage gets no answer", Untyped, nil, func(g *garden) bool {
			return g.insert(g.final(), history.Event{Kind: history.KindRebuffed, Node: "n1", Text: "garbage", Want: 4400})
		}},
		{"a conversation refuses for too long", Outage, nil, func(g *garden) bool { return g.outage(true) }},
		{"a send gets no answer for too long", Outage, nil, func(g *garden) bool { return g.outage(false) }},
		{"a fault has no effect", NoEffect, nil, func(g *garden) bool {
			i := g.pick(of(history.KindEffect))
			if i < 0 {
				return false
			}
			g.all[i].Kind = history.KindNote
			return true
		}},
	}
}

// outage has a conversation take no send in the quiet time before the end.
func (g *garden) outage(answered bool) bool {
	i := g.pick(of(history.KindSend))
	from := g.all[g.final()].At - int64(quietEnd) + 1
	cmid, was := g.cmid(), g.all[i]
	for k := range 12 {
		send := history.Event{
			At: from + int64(k)*int64(500*time.Millisecond), Kind: history.KindSend, Op: uint64(1<<40 + k),
			App: was.App, User: was.User, Device: was.Device, Conversation: was.Conversation, Cmid: cmid,
		}
		g.insert(g.final(), send)
		if !answered {
			return true
		}
		g.insert(g.final(), history.Event{At: send.At + 1000, Kind: history.KindFail, Op: send.Op, Code: chat.CodeUnavailable})
	}
	return true
}
