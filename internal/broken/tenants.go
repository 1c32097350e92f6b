//go:build broken_tenants

package broken

const flaw = "tenants"
