package alerts

import (
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// RuleInfo is what people are told of a rule.
type RuleInfo struct {
	ID         string           `json:"id"`
	Title      catalog.Title    `json:"title"`
	Kind       string           `json:"kind" enum:"event,flag,absence,window,system,manual"`
	Scope      []telemetry.Kind `json:"scope" doc:"Kinds of device; empty = any."`
	Class      Class            `json:"class,omitempty"`
	Priority   Priority         `json:"priority,omitempty" doc:"Absent of a rule that only marks incidents."`
	Annunciate string           `json:"annunciate" enum:"alarm,order,log"`
	Response   string           `json:"response,omitempty" doc:"What is to be done, in Chinese."`
	ResponseEN string           `json:"response_en,omitempty" doc:"The same in English; absent of rules that have only one."`
	Owner      string           `json:"owner,omitempty"`
}

// List tells of every rule, in the order of the files.
func (r *Rules) List() []RuleInfo {
	list := make([]RuleInfo, 0, len(r.list))
	for _, x := range r.list {
		info := RuleInfo{
			ID: x.ID, Title: x.Title, Kind: x.Kind, Scope: append([]telemetry.Kind{}, x.Scope...), Class: x.Class,
			Priority: x.Priority, Annunciate: x.Annunciate, Response: x.Response, ResponseEN: x.ResponseEN, Owner: x.Owner,
		}
		if info.Annunciate == "" {
			info.Annunciate = annunciateAlarm
		}
		list = append(list, info)
	}
	return list
}
