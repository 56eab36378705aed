using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>What the builder says: whole lines to the listener, and the last of them kept for the case that it fails.</summary>
internal sealed class BuildOutput(IProgress<string>? lines) : IProgress<JSONMessage>
{
    private const int Kept = 20;
    private const int MaxLine = 4096;

    private readonly Queue<string> _last = new(Kept);
    private readonly StringBuilder _line = new();

    public string? Error { get; private set; }

    public string? ImageId { get; private set; }

    public ImmutableArray<string> LastLines => [.. _last];

    public void Report(JSONMessage value)
    {
        if (value.Error is { } error)
        {
            EndLine();
            Error = error.Message;
        }
        else if (value.Stream is { } text) Append(text);
        // The layers of a base image that the builder pulls; their bytes are noise here.
        else if (value.Status is { Length: > 0 } status && value.Progress is not { Total: > 0 }) Add(string.IsNullOrEmpty(value.ID) ? status : $"{value.ID}: {status}");

        if (value.Aux?.ExtensionData?.TryGetValue("ID", out var id) == true && id is JsonElement { ValueKind: JsonValueKind.String } element)
            ImageId = element.GetString();
    }

    private void Append(string text)
    {
        foreach (var character in text)
        {
            if (character == '\n' || _line.Length >= MaxLine) EndLine();
            if (character is not ('\n' or '\r')) _line.Append(character);
        }
    }

    private void EndLine()
    {
        if (_line.Length == 0) return;
        Add(_line.ToString());
        _line.Clear();
    }

    private void Add(string line)
    {
        if (_last.Count == Kept) _last.Dequeue();
        _last.Enqueue(line);
        lines?.Report(line);
    }
}
