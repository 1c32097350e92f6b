package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

func plants() []plant {
	return slices.Concat(plantsInLogs(), plantsInOneLog(), plantsInDeliveries(), plantsInWhatIsDelivered(), plantsInReads(), plantsInUsers(), plantsInOutcomes())
}

func plantsInLogs() []plant {
	return []plant{
		{"the end of every log is lost", Lost, []Class{Linear}, func(g *garden) bool {
			acked := g.acked()
			i := g.pick(func(_ int, e *history.Event) bool {
				return e.Kind == history.KindLog && acked(e.Cmid) && e.Seq == g.head(e)
			})
			if i < 0 {
				return false
			}
			tail := g.all[i]
			for k := range g.all {
				if e := &g.all[k]; e.Kind == history.KindReplica && sameLog(e, &tail) {
					e.Seq--
				}
			}
			return g.remove(func(e *history.Event) bool {
				return e.Kind == history.KindLog && sameLog(e, &tail) && e.Seq == tail.Seq
			})
		}},
		{"a message is lost from the middle of every log", Lost, []Class{Gap}, func(g *garden) bool {
			acked := g.acked()
			i := g.pick(func(_ int, e *history.Event) bool {
				return e.Kind == history.KindLog && acked(e.Cmid) && e.Seq < g.head(e)
			})
			if i < 0 {
				return false
			}
			lost := g.all[i]
			return g.remove(func(e *history.Event) bool {
				return e.Kind == history.KindLog && sameLog(e, &lost) && e.Seq == lost.Seq
			})
		}},
		{"a message stands in the logs twice", Dup, []Class{Linear}, func(g *garden) bool {
			i := g.pick(of(history.KindLog))
			return i >= 0 && g.append(g.all[i].App, g.all[i].Conversation, g.all[i].Cmid, g.all[i].Sender)
		}},
		{"two messages change places in every log", Reorder, []Class{Unread, Gap, Late, Linear}, func(g *garden) bool {
			acked := g.acked()
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindLog && acked(e.Cmid) && e.Seq < g.head(e) && sameLog(e, &g.all[i+1])
			})
			if i < 0 {
				return false
			}
			a, b := g.all[i], g.all[i+1]
			for k := range g.all {
				switch e := &g.all[k]; {
				case e.Kind != history.KindLog:
				case e.Cmid == a.Cmid:
					e.Cmid, e.Sender = b.Cmid, b.Sender
				case e.Cmid == b.Cmid:
					e.Cmid, e.Sender = a.Cmid, a.Sender
				}
			}
			return true
		}},
	}
}

func plantsInOneLog() []plant {
	return []plant{
		{"one log has a hole", Gap, nil, func(g *garden) bool {
			i := g.pick(func(_ int, e *history.Event) bool { return e.Kind == history.KindLog && e.Seq < g.head(e) })
			if i < 0 {
				return false
			}
			g.all = slices.Delete(g.all, i, i+1)
			return true
		}},
		{"one log has another message", Diverge, []Class{Dup, Lost, Reorder, Unread, Gap, Late, Linear}, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindLog && e.Seq > 1 && g.all[i-1].Kind == history.KindLog && sameLog(e, &g.all[i-1])
			})
			if i < 0 {
				return false
			}
			g.all[i].Cmid, g.all[i].Sender = g.all[i-1].Cmid, g.all[i-1].Sender
			return true
		}},
		{"one log has another hash", Diverge, nil, func(g *garden) bool {
			return g.change(of(history.KindLog), func(e *history.Event) { e.Hash = "00" + e.Hash[2:] + "1" })
		}},
		{"one log has another sender", Corrupt, nil, func(g *garden) bool {
			return g.change(of(history.KindLog), func(e *history.Event) { e.Sender += "x" })
		}},
		{"one log ends early", Missing, nil, func(g *garden) bool {
			i := g.pick(of(history.KindLog))
			if i < 0 {
				return false
			}
			from := g.all[i]
			return g.remove(func(e *history.Event) bool {
				return e.Kind == history.KindLog && sameLog(e, &from) && e.Node == from.Node && e.Seq >= from.Seq
			})
		}},
		{"one log is shorter than it claims", Missing, nil, func(g *garden) bool {
			return g.change(of(history.KindReplica), func(e *history.Event) { e.Seq++ })
		}},
	}
}

// refusedSend picks a send of a message that was refused in all its attempts.
func (g *garden) refusedSend() int {
	outcomes := g.outcomes()
	passed := map[uint64]bool{}
	for _, e := range g.all {
		if e.Code == chat.CodeDedupeWindowPassed {
			passed[e.Op] = true
		}
	}
	return g.pick(func(_ int, e *history.Event) bool {
		return e.Kind == history.KindSend && !passed[e.Op] &&
			!slices.ContainsFunc(outcomes[e.Cmid], func(k history.Kind) bool { return k != history.KindFail })
	})
}

func plantsInWhatIsDelivered() []plant {
	return []plant{
		{"the logs have a message that nobody sent", Phantom, nil, func(g *garden) bool {
			i := g.pick(of(history.KindLog))
			return i >= 0 && g.append(g.all[i].App, g.all[i].Conversation, g.cmid(), g.all[i].Sender)
		}},
		{"the logs have a message that was refused", Phantom, nil, func(g *garden) bool {
			i := g.refusedSend()
			return i >= 0 && g.append(g.all[i].App, g.all[i].Conversation, g.all[i].Cmid, g.all[i].User)
		}},
		{"a delivery is of another app", Tenant, []Class{Gap}, func(g *garden) bool {
			other := g.pick(of(history.KindSend))
			return g.change(func(i int, e *history.Event) bool {
				return e.Kind == history.KindRecv && e.App != g.all[other].App && i > other
			}, func(e *history.Event) {
				e.Cmid, e.Sender, e.Canary = g.all[other].Cmid, g.all[other].User, 0
			})
		}},
		{"a message holds another app's canary", Tenant, nil, func(g *garden) bool {
			return g.change(func(_ int, e *history.Event) bool {
				return e.Kind == history.KindRecv || e.Kind == history.KindFetched
			}, func(e *history.Event) { e.Canary++ })
		}},
		{"a delivery was never sent", Phantom, nil, func(g *garden) bool {
			return g.change(of(history.KindRecv), func(e *history.Event) { e.Cmid = g.cmid() })
		}},
		{"a delivery is of a message that was refused", Phantom, nil, func(g *garden) bool {
			i := g.refusedSend()
			if i < 0 {
				return false
			}
			refused := g.all[i]
			return g.change(func(_ int, e *history.Event) bool {
				return e.Kind == history.KindRecv && sameLog(e, &refused) && e.At > refused.At
			}, func(e *history.Event) { e.Cmid, e.Sender, e.Digest = refused.Cmid, refused.User, "" })
		}},
		{"a delivery is garbled", Corrupt, nil, func(g *garden) bool {
			return g.change(of(history.KindRecv), func(e *history.Event) { e.Digest = "garbled" })
		}},
	}
}

func plantsInDeliveries() []plant {
	return []plant{
		{"a delivery comes twice", Dup, nil, func(g *garden) bool {
			i := g.pick(of(history.KindRecv))
			return i >= 0 && g.insert(i+1, g.all[i])
		}},
		{"a delivery is left out", Gap, nil, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool {
				return e.Kind == history.KindRecv && g.next(i) >= 0 && g.owed(e)
			})
			if i < 0 {
				return false
			}
			g.all = slices.Delete(g.all, i, i+1)
			return true
		}},
		{"two deliveries change places", Reorder, nil, func(g *garden) bool {
			i := g.pick(func(i int, e *history.Event) bool {
				k := g.next(i)
				return e.Kind == history.KindRecv && k >= 0 && g.all[k].At == e.At
			})
			if i < 0 {
				return false
			}
			k := g.next(i)
			g.all[i], g.all[k] = g.all[k], g.all[i]
			return true
		}},
		{"a delivery comes late", Late, nil, func(g *garden) bool {
			i := g.lastDelivery()
			if i < 0 {
				return false
			}
			late := g.all[i]
			late.At = g.all[g.final()].At
			g.insert(g.final(), late)
			g.all = slices.Delete(g.all, i, i+1)
			return true
		}},
		{"a last delivery never comes", Late, nil, func(g *garden) bool {
			i := g.lastDelivery()
			if i < 0 {
				return false
			}
			g.all = slices.Delete(g.all, i, i+1)
			return true
		}},
	}
}

// loggedIn is when the event's device did.
func (g *garden) loggedIn(e *history.Event) int64 {
	for i := range g.all {
		if o := &g.all[i]; o.Kind == history.KindLogin && o.App == e.App && o.User == e.User && o.Device == e.Device {
			return o.At
		}
	}
	return 0
}

// lastDelivery picks the last message that a device got in a conversation, if
// the device is online to the end and the message was acknowledged in time.
func (g *garden) lastDelivery() int {
	out, call, acked := map[string]bool{}, map[uint64]string{}, map[string]int64{}
	for _, e := range g.all {
		switch e.Kind {
		case history.KindLogout:
			out[fmt.Sprint(e.App, e.Device)] = true
		case history.KindSend:
			call[e.Op] = e.Cmid
		case history.KindOK:
			if cmid := call[e.Op]; acked[cmid] == 0 {
				acked[cmid] = e.At
			}
		}
	}
	end := g.all[g.final()].At
	return g.pick(func(i int, e *history.Event) bool {
		return e.Kind == history.KindRecv && !out[fmt.Sprint(e.App, e.Device)] && g.next(i) < 0 &&
			acked[e.Cmid] > 0 && end-acked[e.Cmid] > int64(11*time.Second) && g.owed(e)
	})
}

// owed says whether a recv is of a message that had to come to the device.
func (g *garden) owed(recv *history.Event) bool {
	for i := range g.all {
		e := &g.all[i]
		if e.Kind == history.KindSend && e.Cmid == recv.Cmid && e.App == recv.App && e.User == recv.User && e.Device == recv.Device {
			return false // a retry of what came from another device
		}
	}
	return g.sent(recv.Cmid).At > g.loggedIn(recv)
}
