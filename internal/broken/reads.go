//go:build broken_reads

package broken

const flaw = "reads"
