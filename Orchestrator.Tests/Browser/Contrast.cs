namespace Orchestrator.Tests.Browser;

internal static class Contrast
{
    /// <summary>Every visible text whose contrast to what is behind it is less than 4.5 to 1 (WCAG 2, AA).</summary>
    public const string Script = """
        () => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const parse = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
          const luminance = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
          const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
          const ground = element => { const layers = []; for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor)); return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
          const faint = [];
          for (const element of document.querySelectorAll('body *')) {
            const text = [...element.childNodes].filter(n => n.nodeType === 3 && n.data.trim()).map(n => n.data.trim()).join(' ');
            if (!text || element.closest('noscript, :disabled, [aria-hidden=true], .unseen') || !element.checkVisibility()) continue;
            const under = ground(element), ink = over(parse(getComputedStyle(element).color), under);
            const [high, low] = [luminance(ink), luminance(under)].sort((a, b) => b - a);
            const ratio = (high + .05) / (low + .05);
            if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.className || element.nodeName}: ${text.slice(0, 40)}`);
          }
          return faint;
        }
        """;
}
