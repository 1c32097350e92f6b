//go:build !broken_fsync && !broken_dedupe && !broken_fence && !broken_fanout && !broken_reads && !broken_tenants

package broken

const flaw = ""
