using System.Text.Json.Nodes;

namespace Orchestrator.Certificates;

/// <summary>Where the authority does what (RFC 8555, 7.1.1).</summary>
/// <param name="RenewalInfo">Null: it does not say when to renew (RFC 9773).</param>
internal sealed record AcmeDirectory(Uri NewNonce, Uri NewAccount, Uri NewOrder, Uri? RenewalInfo, bool NeedsExternalAccount, string? Terms)
{
    /// <exception cref="AcmeException">It is no directory.</exception>
    public static AcmeDirectory Of(JsonNode json) => new(
        json.Address("newNonce"),
        json.Address("newAccount"),
        json.Address("newOrder"),
        json.Member("renewalInfo") is null ? null : json.Address("renewalInfo"),
        json.Member("meta").Member("externalAccountRequired") is JsonValue needed && needed.TryGetValue<bool>(out var yes) && yes,
        json.Member("meta").TextOrNull("termsOfService"));
}
