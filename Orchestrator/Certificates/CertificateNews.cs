namespace Orchestrator.Certificates;

/// <summary>Somebody should look after a certificate.</summary>
/// <param name="Stack">The stack whose route has the host; null: none has it now.</param>
/// <param name="Ends">When it ends; null: it could not be had.</param>
public sealed record CertificateNews(string Host, string? Stack, DateTimeOffset? Ends, string Detail, string Hint);
