using System.Collections.Immutable;
using Orchestrator.Access;
using Orchestrator.Agent.Webhooks;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Tests.Agent.Webhooks;

public sealed class WebhookParserTests
{
    private const string Commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

    [Test]
    public void A_push_is_its_branch_and_commit_with_every_sender()
    {
        var push = $$"""{"ref":"refs/heads/feature/x","after":"{{Commit}}","deleted":false}""";

        foreach (var delivery in new[] { Signed.GitHub("push", push), Signed.Gitea("push", push), Signed.GitLab("Push Hook", push) })
            Assert.That(Read(delivery), Is.EqualTo(new Event { Branch = "feature/x", Commit = Commit }), $"{delivery.Sender}");
    }

    [Test]
    public void A_pushed_tag_is_a_tag()
    {
        var push = $$"""{"ref":"refs/tags/v1.2","after":"{{Commit}}"}""";

        Assert.That(Read(Signed.GitHub("push", push)), Is.EqualTo(new Event { Tag = "v1.2", Commit = Commit }));
        Assert.That(Read(Signed.GitLab("Tag Push Hook", push)), Is.EqualTo(new Event { Tag = "v1.2", Commit = Commit }));
    }

    [TestCase("ping", "{}", "ping")]
    [TestCase("issues", "{}", "do not deploy: issues")]
    [TestCase("push", """{"ref":"refs/heads/main","after":"0000000000000000000000000000000000000000","deleted":true}""", "was deleted")]
    [TestCase("push", """{"ref":"refs/notes/x","after":"6dcb09b5b57875f334f61aebed695e2e4193db5e"}""", "neither a branch nor a tag")]
    [TestCase("workflow_run", """{"action":"requested","workflow_run":{}}""", "not completed")]
    [TestCase("workflow_run", """{"action":"completed","workflow_run":{"conclusion":"failure"}}""", "ended with failure")]
    [TestCase("registry_package", """{"action":"deleted","registry_package":{}}""", "not published")]
    [TestCase("registry_package", """{"action":"published","registry_package":{"package_type":"npm"}}""", "not a tagged container image")]
    public void What_does_not_deploy_at_GitHub_is_ignored_with_the_reason(string name, string body, string reason) =>
        Assert.That((Read(Signed.GitHub(name, body)) as Ignored)?.Reason, Does.Contain(reason));

    [Test]
    public void A_workflow_run_counts_when_it_succeeded_in_the_repository_itself()
    {
        Assert.That(Read(Signed.GitHub("workflow_run", Run("push", "me/garden"))), Is.EqualTo(new Event { Branch = "main", Commit = Commit }));
        Assert.That(Read(Signed.GitHub("workflow_run", Run("push", "stranger/garden"))), Is.TypeOf<Ignored>(), "a fork has a branch called main as well");
        Assert.That(Read(Signed.GitHub("workflow_run", Run("pull_request", "me/garden"))), Is.TypeOf<Ignored>());

        static string Run(string cause, string origin) =>
            """{"action":"completed","repository":{"full_name":"me/garden"},"workflow_run":{"event":"CAUSE","conclusion":"success","head_branch":"main","head_sha":"COMMIT","head_repository":{"full_name":"ORIGIN"}}}"""
                .Replace("CAUSE", cause, StringComparison.Ordinal)
                .Replace("COMMIT", Commit, StringComparison.Ordinal)
                .Replace("ORIGIN", origin, StringComparison.Ordinal);
    }

    [TestCase("registry_package")]
    [TestCase("package")]
    public void A_published_container_is_its_tag(string name)
    {
        var body = """{"action":"published","NAME":{"name":"Garden","namespace":"Me","package_version":{"target_oid":"COMMIT","container_metadata":{"tag":{"name":"1.4.0"}}}}}"""
            .Replace("NAME", name, StringComparison.Ordinal)
            .Replace("COMMIT", Commit, StringComparison.Ordinal);

        Assert.That(Read(Signed.GitHub(name, body)), Is.EqualTo(new Event { Tag = "1.4.0", Commit = Commit, Repository = "me/garden" }));
    }

    [TestCase("success", "push", false, typeof(Event))]
    [TestCase("failed", "push", false, typeof(Ignored))]
    [TestCase("success", "merge_request_event", false, typeof(Ignored))]
    [TestCase("success", "push", true, typeof(Event))]
    public void A_pipeline_of_GitLab_counts_when_it_succeeded(string status, string source, bool tag, Type expected)
    {
        var body = $$$"""{"object_attributes":{"status":"{{{status}}}","source":"{{{source}}}","tag":{{{(tag ? "true" : "false")}}},"ref":"main","sha":"{{{Commit}}}"}}""";

        var reading = Read(Signed.GitLab("Pipeline Hook", body));

        Assert.That(reading, Is.TypeOf(expected));
        if (reading is Event happened) Assert.That(tag ? happened.Tag : happened.Branch, Is.EqualTo("main"));
    }

    [Test]
    public void The_last_pushed_tag_of_a_registry_counts()
    {
        var body = """
            {"events":[
              {"action":"push","target":{"repository":"garden","tag":"1.0"}},
              {"action":"pull","target":{"repository":"garden","tag":"9.9"}},
              {"action":"push","target":{"repository":"garden","digest":"sha256:1"}},
              {"action":"push","target":{"repository":"garden","tag":"1.1"}}]}
            """;

        Assert.That(Read(Signed.Registry(body)), Is.EqualTo(new Event { Tag = "1.1", Repository = "garden" }));
        Assert.That(Read(Signed.Registry("""{"events":[{"action":"pull","target":{"repository":"garden","tag":"1"}}]}""")), Is.TypeOf<Ignored>());
    }

    [Test]
    public void The_generic_form_says_itself_what_to_deploy()
    {
        var reading = Read(Signed.Generic($$"""{"images":{"app":"reg/app:1"},"version":"1.0","commit":"{{Commit}}"}""")) as Event;

        Assert.That(reading!.Images, Is.EqualTo(new Dictionary<string, string> { ["app"] = "reg/app:1" }));
        Assert.That((reading.Version, reading.Commit), Is.EqualTo(("1.0", Commit)));
    }

    [TestCase("not json")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("")]
    [TestCase("""{"images":[]}""")]
    [TestCase("""{"images":{"app":1}}""")]
    [TestCase("""{"images":{"app":""}}""")]
    [TestCase("""{"commit":"not-a-hash"}""")]
    public void What_makes_no_sense_is_malformed(string body) => Assert.That(Read(Signed.Generic(body)), Is.TypeOf<Malformed>());

    [TestCase("push", "{}")]
    [TestCase("push", """{"ref":5,"after":null}""")]
    [TestCase("push", """{"ref":"refs/heads/main","after":"$(reboot)"}""")]
    [TestCase("workflow_run", "{}")]
    [TestCase("registry_package", """{"registry_package":"x"}""")]
    public void A_body_that_lacks_what_its_event_should_have_is_never_an_exception(string name, string body) =>
        Assert.That(Read(Signed.GitHub(name, body)), Is.Not.TypeOf<Event>());

    [Test]
    public void A_form_is_refused_with_what_to_change()
    {
        var delivery = Signed.GitHub("push", "payload=%7B%7D");
        delivery = delivery with { Headers = delivery.Headers.SetItem("Content-Type", "application/x-www-form-urlencoded") };

        Assert.That((Read(delivery) as Malformed)!.Detail, Does.Contain("application/json"));
    }

    [Test]
    public void A_template_makes_the_image_of_commit_tag_and_branch()
    {
        var happened = new Event { Branch = "feature/Ünï", Tag = "v1", Commit = Commit };

        Assert.That(Rendered("reg.example:5000/me/app:{commit}", happened), Is.EqualTo($"reg.example:5000/me/app:{Commit}"));
        Assert.That(Rendered("app:sha-{short}", happened), Is.EqualTo("app:sha-6dcb09b"));
        Assert.That(Rendered("app:{tag}", happened), Is.EqualTo("app:v1"));
        Assert.That(Rendered("app:{branch}", happened), Is.EqualTo("app:feature--n-"), "what a tag cannot contain becomes a dash");
    }

    [Test]
    public void An_event_without_an_image_is_ignored_with_the_reason()
    {
        var settings = new WebhookSettings { Branch = "main", Images = Images("app", "reg/app:{tag}") };

        Assert.That(Why(settings, new Event { Branch = "other", Commit = Commit }), Does.Contain("branch other is not main"));
        Assert.That(Why(settings, new Event { Branch = "main", Commit = Commit }), Does.Contain("needs {tag}"));
        Assert.That(Why(settings, new Event { Tag = "v1", Commit = Commit }), Does.Contain("only branch main"));
        Assert.That(Why(settings, new Event { Tag = "v1", Repository = "other" }), Does.Contain("no service's image comes from other"));
        Assert.That(Why(new WebhookSettings(), new Event { Branch = "main", Commit = Commit }), Does.Contain("basmalin webhook STACK --image"));
    }

    [Test]
    public void A_registry_concerns_only_the_services_whose_image_it_has()
    {
        var settings = new WebhookSettings { Images = Images("app", "localhost:5000/me/garden:{tag}").Add("worker", "localhost:5000/other:{tag}") };

        var applied = (Event)ImageTemplates.Apply(settings, new Event { Tag = "2", Repository = "me/garden" });

        Assert.That(applied.Images, Is.EqualTo(new Dictionary<string, string> { ["app"] = "localhost:5000/me/garden:2" }));
    }

    [TestCase("reg.example/app:{commit}", null)]
    [TestCase("app", null)]
    [TestCase("reg:5000/a/b:{branch}-{short}", null)]
    [TestCase("reg/app:{sha}", "{sha} means nothing; known are {commit}, {short}, {tag} and {branch}")]
    [TestCase("two words:{tag}", "'two words:{tag}' is not an image reference such as registry.example/app:{commit}")]
    [TestCase("", "'' is not an image reference such as registry.example/app:{commit}")]
    public void A_template_is_checked_when_it_is_set(string template, string? problem) => Assert.That(ImageTemplates.Problem(template), Is.EqualTo(problem));

    private static WebhookReading Read(WebhookDelivery delivery) => WebhookParser.Parse(delivery.Sender!.Value, delivery);

    private static string Rendered(string template, Event happened) =>
        ((Event)ImageTemplates.Apply(new WebhookSettings { Images = Images("app", template) }, happened)).Images["app"];

    private static string Why(WebhookSettings settings, Event happened) => ((Ignored)ImageTemplates.Apply(settings, happened)).Reason;

    private static ImmutableSortedDictionary<string, string> Images(string service, string template) => ImmutableSortedDictionary<string, string>.Empty.Add(service, template);
}
