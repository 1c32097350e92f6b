package chat

// Deliver brings effects from another shard's outbox; those applied before are
// skipped.
type Deliver struct {
	Source  EffectSource
	First   uint64 // outbox number of Effects[0]
	Effects []Effect
}

// Delivered deletes the outbox rows that their destination has applied.
type Delivered struct {
	Destination uint16
	Through     uint64
}

var (
	deliverRule   = quiet(applyDeliver)
	deliveredRule = quiet(applyDelivered)
)

func (Deliver) rule() *rule   { return &deliverRule }
func (Delivered) rule() *rule { return &deliveredRule }

func applyDeliver(s *State, now int64, b Deliver) Result {
	mark, _ := s.Applied.Get(b.Source)
	if b.First > mark+1 {
		return Result{Err: Errorf(CodeInternal, "deliver",
			"effects of shard %d begin at %d, applied are those up to %d", b.Source.Shard, b.First, mark)}
	}
	for i, e := range b.Effects {
		if n := b.First + uint64(i); n > mark {
			mark = n
			e.Body.apply(s, now, e.To)
		}
	}
	s.Applied.Put(b.Source, mark)
	return Result{}
}

func applyDelivered(s *State, _ int64, b Delivered) Result {
	s.Outbox.Drop(b.Destination, b.Through)
	return Result{}
}
