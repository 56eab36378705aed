using System.Collections.Immutable;
using System.Text;
using Orchestrator.Agent.Webhooks;

namespace Orchestrator.Tests.Agent.Webhooks;

public sealed class WebhookSignatureTests
{
    private static IEnumerable<TestCaseData<WebhookSender, WebhookDelivery>> Good =>
    [
        Case(WebhookSender.Generic, Signed.Generic("{}")),
        Case(WebhookSender.GitHub, Signed.GitHub("push", "{}")),
        Case(WebhookSender.Gitea, Signed.Gitea("push", "{}")),
        Case(WebhookSender.GitLab, Signed.GitLab("Push Hook", "{}")),
        Case(WebhookSender.GitLab, Signed.GitLabSigned("Push Hook", "{}")),
        Case(WebhookSender.Registry, Signed.Registry("{}")),
    ];

    private static IEnumerable<TestCaseData<WebhookSender, WebhookDelivery>> WrongSecret =>
    [
        Case(WebhookSender.Generic, Signed.Generic("{}", secret: "other")),
        Case(WebhookSender.GitHub, Signed.GitHub("push", "{}", "other")),
        Case(WebhookSender.Gitea, Signed.Gitea("push", "{}", "other")),
        Case(WebhookSender.GitLab, Signed.GitLab("Push Hook", "{}", "other")),
        Case(WebhookSender.GitLab, Signed.GitLabSigned("Push Hook", "{}", secret: "whsec_b3RoZXI=")),
        Case(WebhookSender.Registry, Signed.Registry("{}", "other")),
    ];

    [TestCaseSource(nameof(Good))]
    public void The_right_signature_is_recognised(WebhookSender sender, WebhookDelivery delivery)
    {
        Assert.That(delivery.Sender, Is.EqualTo(sender));
        Assert.That(Check(delivery), Is.EqualTo(SignatureCheck.Valid));
    }

    [TestCaseSource(nameof(WrongSecret))]
    public void A_signature_by_another_secret_is_wrong(WebhookSender sender, WebhookDelivery delivery)
    {
        Assert.That(delivery.Sender, Is.EqualTo(sender));
        Assert.That(Check(delivery), Is.EqualTo(SignatureCheck.Wrong));
    }

    [Test]
    public void One_changed_byte_of_the_body_makes_a_signature_wrong()
    {
        WebhookDelivery[] signed = [Signed.Generic("{\"a\":1}"), Signed.GitHub("push", "{\"a\":1}"), Signed.Gitea("push", "{\"a\":1}"), Signed.GitLabSigned("Push Hook", "{\"a\":1}")];

        foreach (var delivery in signed)
            Assert.That(Check(delivery with { Body = Encoding.UTF8.GetBytes("{\"a\":2}") }), Is.EqualTo(SignatureCheck.Wrong), $"{delivery.Sender}");
    }

    [Test]
    public void Every_header_that_proves_something_has_to_be_there()
    {
        foreach (var (delivery, header) in new[]
        {
            (Signed.Generic("{}"), "X-BasMalin-Timestamp"),
            (Signed.GitHub("push", "{}"), "X-Hub-Signature-256"),
            (Signed.Gitea("push", "{}"), "X-Gitea-Signature"),
            (Signed.GitLab("Push Hook", "{}"), "X-Gitlab-Token"),
            (Signed.GitLabSigned("Push Hook", "{}"), "webhook-id"),
            (Signed.Registry("{}"), "Authorization"),
        })
        {
            var without = delivery with { Headers = delivery.Headers.Remove(header) };

            Assert.That(Check(without), Is.EqualTo(SignatureCheck.Missing), header);
        }
    }

    [TestCase(-301, SignatureCheck.Late)]
    [TestCase(-300, SignatureCheck.Valid)]
    [TestCase(300, SignatureCheck.Valid)]
    [TestCase(301, SignatureCheck.Late)]
    public void A_signature_is_good_for_five_minutes_either_way(int seconds, SignatureCheck expected)
    {
        var at = Signed.Now.AddSeconds(seconds);

        Assert.That(Check(Signed.Generic("{}", at)), Is.EqualTo(expected));
        Assert.That(Check(Signed.GitLabSigned("Push Hook", "{}", at)), Is.EqualTo(expected));
    }

    [TestCase("-1")]
    [TestCase("1e9")]
    [TestCase("99999999999999999999")]
    [TestCase("")]
    public void A_timestamp_that_is_none_is_late_even_when_it_is_signed(string timestamp)
    {
        var signature = WebhookSignature.Sign("{}"u8, timestamp, Encoding.UTF8.GetBytes(Signed.Secret));
        var delivery = Signed.Make("{}", ("Content-Type", "application/json"), ("X-BasMalin-Timestamp", timestamp), ("X-BasMalin-Signature", signature));

        Assert.That(Check(delivery), Is.EqualTo(SignatureCheck.Late));
    }

    [Test]
    public void With_a_signing_token_the_plain_token_is_not_good_enough()
    {
        var both = Signed.GitLabSigned("Push Hook", "{}", secret: "whsec_b3RoZXI=");
        both = both with { Headers = both.Headers.Add("X-Gitlab-Token", Signed.Secret) };

        Assert.That(Check(both), Is.EqualTo(SignatureCheck.Wrong));
    }

    [Test]
    public void A_signature_among_several_is_found()
    {
        var delivery = Signed.GitLabSigned("Push Hook", "{}");
        delivery = delivery with { Headers = delivery.Headers.SetItem("webhook-signature", $"v1,AAAA {delivery.Header("webhook-signature")}") };

        Assert.That(Check(delivery), Is.EqualTo(SignatureCheck.Valid));
    }

    [Test]
    public void The_vector_that_GitHub_documents_is_right()
    {
        var delivery = Signed.Make(
            "Hello, World!",
            ("X-GitHub-Event", "push"),
            ("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"));

        Assert.That(WebhookSignature.Check(WebhookSender.GitHub, delivery, "It's a Secret to Everybody", Signed.Now), Is.EqualTo(SignatureCheck.Valid));
    }

    [Test]
    public void A_new_secret_is_256_random_bits_in_the_form_that_all_senders_take()
    {
        var (one, two) = (WebhookSecret.Create(), WebhookSecret.Create());

        Assert.That(one, Is.Not.EqualTo(two).And.StartsWith("whsec_"));
        Assert.That(WebhookSecret.Decoded(one), Has.Length.EqualTo(32));
    }

    [Test]
    public void The_same_delivery_has_the_same_keys_and_an_overheard_one_is_known_by_its_signature()
    {
        var first = DeliveryKeys.Of(WebhookSender.GitHub, Signed.GitHub("push", "{}", id: "1"));
        var again = DeliveryKeys.Of(WebhookSender.GitHub, Signed.GitHub("push", "{}", id: "2"));
        var token = DeliveryKeys.Of(WebhookSender.GitLab, Signed.GitLab("Push Hook", "{}"));

        Assert.That(again.Id, Is.Not.EqualTo(first.Id));
        Assert.That(again.Signed, Is.EqualTo(first.Signed).And.Not.Null);
        Assert.That(token.Signed, Is.Null);
        Assert.That(DeliveryKeys.Of(WebhookSender.Registry, Signed.Registry("{}")).Id, Does.StartWith("body:"));
    }

    private static SignatureCheck Check(WebhookDelivery delivery) => WebhookSignature.Check(delivery.Sender!.Value, delivery, Signed.Secret, Signed.Now);

    private static TestCaseData<WebhookSender, WebhookDelivery> Case(WebhookSender sender, WebhookDelivery delivery) =>
        new(sender, delivery) { TestName = $"{{m}}({sender}, {string.Join(' ', delivery.Headers.Keys.Order().ToImmutableArray())})" };
}
