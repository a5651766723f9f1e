// Decides requests as Kubernetes' own RBAC authorizer does. Each line of standard input is a policy with requests; each line of
// standard output says what became of them. `npm run soak -- --rbac N` compares that with Plumb's decisions.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	covering "k8s.io/component-helpers/auth/rbac/validation"
	"k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

type request struct {
	User        string   `json:"user"`
	Groups      []string `json:"groups"`
	Verb        string   `json:"verb"`
	Group       string   `json:"group"`
	Resource    string   `json:"resource"`
	Subresource string   `json:"subresource"`
	Namespace   string   `json:"namespace"`
	Name        string   `json:"name"`
	// Set for a path that is no resource.
	Path string `json:"path"`
}

type covers struct {
	Held   []rbacv1.PolicyRule `json:"held"`
	Wanted []rbacv1.PolicyRule `json:"wanted"`
}

type policy struct {
	ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles"`
	Roles               []*rbacv1.Role               `json:"roles"`
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings"`
	RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings"`
	Requests            []request                    `json:"requests"`
	Covers              []covers                     `json:"covers"`
}

type answer struct {
	Allowed []bool   `json:"allowed"`
	Reasons []string `json:"reasons"`
	Covers  []bool   `json:"covers"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	decoder := json.NewDecoder(in)
	for decoder.More() {
		var one policy
		if err := decoder.Decode(&one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := encoder.Encode(decide(&one)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out.Flush()
	}
}

func decide(one *policy) answer {
	aggregate(one.ClusterRoles)
	_, static := validation.NewTestRuleResolver(one.Roles, one.RoleBindings, one.ClusterRoles, one.ClusterRoleBindings)
	authorize := rbac.New(static, static, static, static)
	result := answer{Allowed: []bool{}, Reasons: []string{}, Covers: []bool{}}
	for _, asked := range one.Requests {
		decision, reason, _ := authorize.Authorize(context.Background(), authorizer.AttributesRecord{
			User:            &user.DefaultInfo{Name: asked.User, Groups: asked.Groups},
			Verb:            asked.Verb,
			Namespace:       asked.Namespace,
			APIGroup:        asked.Group,
			APIVersion:      "v1",
			Resource:        asked.Resource,
			Subresource:     asked.Subresource,
			Name:            asked.Name,
			Path:            asked.Path,
			ResourceRequest: asked.Path == "",
		})
		result.Allowed = append(result.Allowed, decision == authorizer.DecisionAllow)
		result.Reasons = append(result.Reasons, reason)
	}
	for _, pair := range one.Covers {
		all, _ := covering.Covers(pair.Held, pair.Wanted)
		result.Covers = append(result.Covers, all)
	}
	return result
}

// What Kubernetes' controller writes into aggregated roles, round by round until nothing changes; they begin without rules.
func aggregate(roles []*rbacv1.ClusterRole) {
	sort.Slice(roles, func(i, j int) bool { return roles[i].Name < roles[j].Name })
	for _, role := range roles {
		if role.AggregationRule != nil {
			role.Rules = nil
		}
	}
	for changed := true; changed; {
		changed = false
		for _, role := range roles {
			if role.AggregationRule == nil {
				continue
			}
			gathered := gather(role, roles)
			if len(gathered) != len(role.Rules) {
				role.Rules = gathered
				changed = true
			}
		}
	}
}

func gather(role *rbacv1.ClusterRole, roles []*rbacv1.ClusterRole) []rbacv1.PolicyRule {
	var gathered []rbacv1.PolicyRule
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, other := range roles {
			if other.Name == role.Name || !selector.Matches(labels.Set(other.Labels)) {
				continue
			}
			for _, rule := range other.Rules {
				if !known(gathered, rule) {
					gathered = append(gathered, rule)
				}
			}
		}
	}
	return gathered
}

func known(rules []rbacv1.PolicyRule, wanted rbacv1.PolicyRule) bool {
	for _, rule := range rules {
		if reflect.DeepEqual(rule, wanted) {
			return true
		}
	}
	return false
}
