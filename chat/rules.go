package chat

// rules lists what is declared of each command, in the file of its verb.
// docs/commands.md says the same in words.
var rules = []*rule{
	&loginRule,
	&updateUserRule,
	&updateConversationRule,
	&sendRule,
	&recallRule,
	&markReadRule,
	&deliverRule,
	&deliveredRule,
}

// rule is how a command is applied, and since which version.
type rule struct {
	since uint32
	apply func(s *State, now int64, body CommandBody) (Result, []Event)
	of    CommandBody // the command's zero value
}

// on is the rule of a command that makes events.
func on[C CommandBody](apply func(*State, int64, C) (Result, []Event)) rule {
	var zero C
	return rule{since: 1, of: zero, apply: func(s *State, now int64, body CommandBody) (Result, []Event) {
		return apply(s, now, body.(C))
	}}
}

// quiet is the rule of a command that makes none.
func quiet[C CommandBody](apply func(*State, int64, C) Result) rule {
	return on(func(s *State, now int64, body C) (Result, []Event) { return apply(s, now, body), nil })
}
