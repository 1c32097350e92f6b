package actorpb

import "reflect"

// Message is what actors say to each other across nodes.
type Message interface {
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

// table gives each message its number on the wire, which is never reused.
var table = map[uint32]Message{
	1: (*Ask)(nil), 2: (*Answer)(nil), 3: (*Deliver)(nil), 4: (*Attach)(nil), 5: (*Attached)(nil), 6: (*Detach)(nil), 7: (*Kick)(nil),
	8: (*Look)(nil), 9: (*Seen)(nil), 10: (*DeliverThrough)(nil), 11: (*DeliveredThrough)(nil), 12: (*TakeEffects)(nil), 13: (*EffectsTaken)(nil),
	14: (*Leading)(nil), 15: (*Dropped)(nil), 16: (*Registered)(nil), 17: (*Reshape)(nil), 18: (*Reshaped)(nil), 19: (*TransferLeader)(nil),
	20: (*Administer)(nil), 21: (*Administered)(nil), 22: (*Enroll)(nil), 23: (*Enrolled)(nil), 24: (*PushAgain)(nil), 25: (*LookAgain)(nil),
}

var numbers = func() map[reflect.Type]uint32 {
	out := make(map[reflect.Type]uint32, len(table))
	for n, m := range table {
		out[reflect.TypeOf(m)] = n
	}
	return out
}()

// Number is a message's number; 0 for what stays on its node.
func Number(message any) uint32 { return numbers[reflect.TypeOf(message)] }

// New makes an empty message of a number, nil when this release has none.
func New(number uint32) Message {
	m, ok := table[number]
	if !ok {
		return nil
	}
	return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
}

// RequestOf is the number by which the asker knows a message's answer; 0 when
// it wants none, or is none.
func RequestOf(message any) uint32 {
	if m, ok := message.(interface{ GetRequest() uint32 }); ok {
		return m.GetRequest()
	}
	return 0
}
