using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Access;

/// <summary>Each stack's webhook settings. Its secret stands in the <see cref="Secrets.SecretStore"/>.</summary>
public sealed class WebhookSettingsStore(SqliteDatabase database)
{
    /// <returns>Empty settings when nothing was set.</returns>
    public Task<WebhookSettings> FindAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Find<Row>("SELECT branch, images FROM webhooks WHERE stack = @Stack", new { Stack = stack }) is { } row
            ? new WebhookSettings { Branch = row.Branch, Images = JsonSerializer.Deserialize<ImmutableSortedDictionary<string, string>>(row.Images) ?? ImmutableSortedDictionary<string, string>.Empty }
            : new WebhookSettings(),
        cancellationToken);

    public Task SaveAsync(string stack, WebhookSettings settings, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute(
            "INSERT INTO webhooks (stack, branch, images) VALUES (@Stack, @Branch, @Images) ON CONFLICT (stack) DO UPDATE SET branch = @Branch, images = @Images",
            new { Stack = stack, settings.Branch, Images = JsonSerializer.Serialize(settings.Images) }),
        cancellationToken);

    private sealed record Row(string? Branch, string Images);
}
