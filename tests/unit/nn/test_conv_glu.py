"""The convolution block against torch's own convolution."""

import math

import pytest
import torch
import torch.nn.functional as F

from canner.nn.conv_glu import ConvGLU, weight_norm_linear


def block(causal: bool, width: int = 3, dim: int = 6) -> ConvGLU:
    torch.manual_seed(3)
    made = ConvGLU(dim, kernel_width=width, dropout=0.0, causal=causal)
    torch.nn.init.normal_(made.conv.bias)
    return made.eval()


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("causal", [True, False])
def test_it_is_a_gated_convolution_with_a_residual(width, causal):
    if not causal and width % 2 == 0:
        pytest.skip("a centred window has odd width")
    made, dim = block(causal, width), 6
    x = torch.randn(2, 9, dim)
    kernel = made.conv.weight.view(2 * dim, width, dim).transpose(1, 2)
    before, after = (width - 1, 0) if causal else (width // 2, width // 2)
    convolved = F.conv1d(F.pad(x.transpose(1, 2), (before, after)), kernel, made.conv.bias).transpose(1, 2)
    a, gate = convolved.chunk(2, dim=-1)
    expected = (x + a * torch.sigmoid(gate)) / math.sqrt(2)
    torch.testing.assert_close(made(x), expected)


def test_weight_is_direction_times_length():
    linear = weight_norm_linear(5, 4, dropout=0.1)
    weight = linear.weight.detach()
    with torch.no_grad():
        linear.parametrizations.weight.original1.mul_(7.0)
    torch.testing.assert_close(linear.weight, weight)
    with torch.no_grad():
        linear.parametrizations.weight.original0.mul_(2.0)
    torch.testing.assert_close(linear.weight, 2 * weight)


def test_initial_weights_have_the_variance_of_the_paper():
    torch.manual_seed(0)
    made = ConvGLU(200, kernel_width=3, dropout=0.2, causal=True)
    assert float(made.conv.weight.detach().std()) == pytest.approx(math.sqrt(4 * 0.8 / 600), rel=0.02)
    assert float(weight_norm_linear(300, 300, dropout=0.2).weight.detach().std()) == pytest.approx(
        math.sqrt(0.8 / 300), rel=0.02
    )


def test_padding_is_read_as_zero():
    made = block(causal=False)
    x = torch.randn(1, 5, 6)
    garbage = torch.cat([x, 100 * torch.randn(1, 4, 6)], dim=1)
    mask = torch.arange(9)[None] < 5
    torch.testing.assert_close(made(garbage, mask)[:, :5], made(x, mask[:, :5]))


def test_a_causal_block_does_not_look_ahead():
    made = block(causal=True)
    x = torch.randn(1, 8, 6)
    changed = x.clone()
    changed[:, 5:] += 1
    assert torch.equal(made(x)[:, :5], made(changed)[:, :5])
    assert not torch.allclose(made(x)[:, 5], made(changed)[:, 5])


@pytest.mark.parametrize("width", [1, 2, 4])
def test_steps_give_what_the_whole_gives(width):
    made = block(True, width)
    x = torch.randn(3, 7, 6)
    past, outputs = torch.zeros(3, width - 1, 6), []
    for t in range(7):
        output, past = made.step(x[:, t], past)
        outputs.append(output)
        assert past.shape == (3, width - 1, 6)
    torch.testing.assert_close(torch.stack(outputs, dim=1), made(x))
