package deploy_test

import (
	"fmt"
	"testing"

	"github.com/BurntSushi/toml"
)

// object is the one of a file of kubernetes/, with the kind and version that the API server knows.
func object(t *testing.T, file, version, kind string) map[string]any {
	t.Helper()
	docs := documents(t, "kubernetes/"+file+".yaml")
	if len(docs) != 1 || docs[0]["apiVersion"] != version || docs[0]["kind"] != kind {
		t.Fatalf("%s: %d objects, of kind %v", file, len(docs), docs[0]["kind"])
	}
	if kind != "Kustomization" && at(t, docs[0], "metadata", "name") != "reverb" {
		t.Errorf("%s: not named reverb", file)
	}
	return docs[0]
}

func TestKubernetes(t *testing.T) {
	deployment := object(t, "deployment", "apps/v1", "Deployment")
	service := object(t, "service", "v1", "Service")
	pdb := object(t, "poddisruptionbudget", "policy/v1", "PodDisruptionBudget")
	hpa := object(t, "horizontalpodautoscaler", "autoscaling/v2", "HorizontalPodAutoscaler")
	configMap := object(t, "configmap", "v1", "ConfigMap")
	kustomization := object(t, "kustomization", "kustomize.config.k8s.io/v1beta1", "Kustomization")

	pod := at(t, deployment, "spec", "template")
	labels := fmt.Sprint(at(t, pod, "metadata", "labels"))
	for name, selector := range map[string]any{
		"deployment": at(t, deployment, "spec", "selector", "matchLabels"),
		"service":    at(t, service, "spec", "selector"),
		"pdb":        at(t, pdb, "spec", "selector", "matchLabels"),
		"spread":     at(t, pod, "spec", "topologySpreadConstraints", 0, "labelSelector", "matchLabels"),
	} {
		if fmt.Sprint(selector) != labels {
			t.Errorf("%s selects %v, the pods have %s", name, selector, labels)
		}
	}
	if target := at(t, hpa, "spec", "scaleTargetRef"); at(t, target, "kind") != "Deployment" || at(t, target, "name") != "reverb" {
		t.Errorf("the autoscaler scales %v", target)
	}
	if n := len(at(t, kustomization, "resources").([]any)); n != 5 {
		t.Errorf("%d resources", n)
	}
	checkPod(t, pod)
	checkPodConfig(t, pod, at(t, configMap, "data", "config.toml").(string))
}

func checkPod(t *testing.T, pod any) {
	t.Helper()
	container := at(t, pod, "spec", "containers", 0)
	ports := map[any]any{}
	for i := range at(t, container, "ports").([]any) {
		ports[at(t, container, "ports", i, "name")] = at(t, container, "ports", i, "containerPort")
	}
	for probe, path := range map[string]string{"startupProbe": "/up", "readinessProbe": "/ready", "livenessProbe": "/up"} {
		if got := at(t, container, probe, "httpGet", "path"); got != path {
			t.Errorf("%s asks %v, want %s", probe, got, path)
		}
		if ports[at(t, container, probe, "httpGet", "port")] == nil {
			t.Errorf("%s asks a port that is not there", probe)
		}
	}
	if at(t, pod, "spec", "securityContext", "runAsNonRoot") != true || at(t, container, "securityContext", "readOnlyRootFilesystem") != true {
		t.Error("the pod is root or writes")
	}
	volumes := map[any]bool{}
	for i := range at(t, pod, "spec", "volumes").([]any) {
		volumes[at(t, pod, "spec", "volumes", i, "name")] = true
	}
	for i := range at(t, container, "volumeMounts").([]any) {
		if name := at(t, container, "volumeMounts", i, "name"); !volumes[name] {
			t.Errorf("there is no volume %v", name)
		}
	}
}

// The pod has the time for the stop that its configuration asks for.
func checkPodConfig(t *testing.T, pod any, text string) {
	t.Helper()
	var c struct {
		Server struct {
			Predrain     int `toml:"predrain"`
			DrainTimeout int `toml:"drain_timeout"`
		} `toml:"server"`
		Metrics struct {
			Listen string `toml:"listen"`
		} `toml:"metrics"`
	}
	if _, err := toml.Decode(text, &c); err != nil {
		t.Fatal(err)
	}
	grace := at(t, pod, "spec", "terminationGracePeriodSeconds").(int)
	if stop := c.Server.Predrain + c.Server.DrainTimeout; c.Server.Predrain == 0 || grace < stop+10 {
		t.Errorf("%d s for a stop of %d s", grace, stop)
	}
	if want := fmt.Sprint("0.0.0.0:", at(t, pod, "metadata", "annotations", "prometheus.io/port")); c.Metrics.Listen != want {
		t.Errorf("metrics at %s, scraped at %s", c.Metrics.Listen, want)
	}
}

func TestCompose(t *testing.T) {
	doc := documents(t, "docker/compose.yaml")[0]
	server, redis := at(t, doc, "services", "reverb"), at(t, doc, "services", "redis")
	if at(t, server, "environment", "REDIS_HOST") != "redis" || at(t, redis, "healthcheck") == nil {
		t.Error("the nodes do not meet")
	}
	if at(t, server, "build", "context") != "../.." || at(t, server, "build", "dockerfile") != "deploy/docker/Dockerfile" {
		t.Errorf("builds %v", at(t, server, "build"))
	}
}
