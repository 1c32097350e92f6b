package chat

// Commands are those of the list of rules, as zero values.
func Commands() (out []CommandBody) {
	for _, r := range rules {
		out = append(out, r.of)
	}
	return out
}
