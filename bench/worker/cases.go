package main

// cases holds the columns of this program by case.
var cases = map[string]map[string]column{
	"decode": {
		"nlwire":         walking(walkNlwire),
		"nlwire-all":     walking(walkAll),
		"nlwire-consume": walking(walkConsume),
		"mdlayher":       walking(walkMdlayher),
		"vishvananda":    walking(walkVishvananda),
		"syscall":        decodeSyscall,
		"jsimonetti":     missing(typedOnly),
	},
	"decode-deep": {
		"nlwire":      walking(deepNlwire),
		"mdlayher":    walking(deepMdlayher),
		"vishvananda": walking(deepVishvananda),
		"syscall":     missing("ParseNetlinkRouteAttr takes whole messages, no nests"),
		"jsimonetti":  missing(typedOnly),
	},
	"decode-policy": {
		"nlwire":      policyNlwire,
		"mdlayher":    missing(noPolicies),
		"vishvananda": missing(noPolicies),
		"syscall":     missing(noPolicies),
		"jsimonetti":  missing(noPolicies),
	},
	"encode": {
		"nlwire":      encodeNlwire,
		"mdlayher":    encoding(requestMdlayher, mixedMdlayher, nftMdlayher, tcMdlayher),
		"vishvananda": encoding(requestVishvananda, mixedVishvananda, nftVishvananda, tcVishvananda),
		"syscall":     missing("it has no encoder"),
		"jsimonetti":  missing("its encoders choose the attributes and their order"),
	},
	"append": {
		"nlwire":      appending(appendNlwire),
		"mdlayher":    appending(appendMdlayher),
		"vishvananda": appending(appendVishvananda),
	},
	"typed-link":        linkColumns(func(decode func(*link, []byte) error) func(*link, []byte) error { return decode }),
	"typed-link-copied": linkColumns(copied),
	"typed-route": {
		"nlwire":         typed((*multipath).walk, (*multipath).sum),
		"nlwire-consume": typed((*multipath).consume, (*multipath).sum),
		"nlwire-all":     typed((*multipath).all, (*multipath).sum),
		"nlwire-table":   typed((*multipath).fromTable, (*multipath).sum),
		"mdlayher":       typed(multipathMdlayher, (*multipath).sum),
		"jsimonetti":     typed(multipathJsimonetti, (*multipath).sum),
		"vishvananda":    missing(notExported),
	},
	"typed-nft": {
		"nlwire":         typed((*rule).walk, (*rule).sum),
		"nlwire-consume": typed((*rule).consume, (*rule).sum),
		"nlwire-all":     typed((*rule).all, (*rule).sum),
		"nlwire-table":   typed((*rule).fromTable, (*rule).sum),
		"mdlayher":       typed(ruleMdlayher, (*rule).sum),
		"jsimonetti":     missing(rtnetlinkOnly),
		"vishvananda":    missing("it has no nftables"),
	},
	"typed-flow": {
		"nlwire":         typed((*flow).walk, (*flow).sum),
		"nlwire-consume": typed((*flow).consume, (*flow).sum),
		"nlwire-all":     typed((*flow).all, (*flow).sum),
		"nlwire-table":   typed((*flow).fromTable, (*flow).sum),
		"mdlayher":       typed(flowMdlayher, (*flow).sum),
		"jsimonetti":     missing(rtnetlinkOnly),
		"vishvananda":    missing(notExported),
	},
	"table-small": {"nlwire-table": tableNlwire},
	"resolve": {
		"nlwire":      resolveNlwire,
		"nlwire-conn": resolveConn,
		"mdlayher":    resolveMdlayher,
		"vishvananda": resolveVishvananda,
		"syscall":     missing(rtnetlinkOnly),
		"jsimonetti":  missing(rtnetlinkOnly),
	},
	"families": {
		"nlwire":      familiesNlwire,
		"nlwire-conn": familiesConn,
		"mdlayher":    familiesMdlayher,
		"vishvananda": familiesVishvananda,
		"syscall":     missing(rtnetlinkOnly),
		"jsimonetti":  missing(rtnetlinkOnly),
	},
	"routes10k": routeColumns,
	"routes1m":  routeColumns,
	"flood": {
		"nlwire":      floodNlwire,
		"nlwire-conn": floodConn,
		"mdlayher":    floodMdlayher,
		"vishvananda": floodVishvananda,
		"syscall":     floodSyscall,
		"jsimonetti":  floodJsimonetti,
	},
	"pipeline": {
		"nlwire":      pipelineNlwire,
		"nlwire-conn": pipelineConn,
		"mdlayher":    pipelineMdlayher,
		"vishvananda": pipelineVishvananda,
		"syscall":     missing(rtnetlinkOnly),
		"jsimonetti":  missing(rtnetlinkOnly),
	},
}

var routeColumns = map[string]column{
	"nlwire":           routesNlwire,
	"nlwire-conn":      routesConn,
	"mdlayher":         routesMdlayher,
	"vishvananda":      routesVishvananda,
	"vishvananda-list": routesVishvanandaList,
	"syscall":          routesSyscall,
	"jsimonetti":       routesJsimonetti,
}

// Why columns are missing.
const (
	typedOnly     = "it decodes attributes with mdlayher/netlink, into types of its own"
	notExported   = "its decoder of a message is not exported"
	noPolicies    = "it has no policies"
	rtnetlinkOnly = "it knows nothing but rtnetlink"
)
