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
		"mdlayher":    encoding(requestMdlayher, mixedMdlayher),
		"vishvananda": encoding(requestVishvananda, mixedVishvananda),
		"syscall":     missing("it has no encoder"),
		"jsimonetti":  missing("its encoders choose the attributes and their order"),
	},
	"append": {
		"nlwire":      appending(appendNlwire),
		"mdlayher":    appending(appendMdlayher),
		"vishvananda": appending(appendVishvananda),
	},
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
	noPolicies    = "it has no policies"
	rtnetlinkOnly = "it knows nothing but rtnetlink"
)
