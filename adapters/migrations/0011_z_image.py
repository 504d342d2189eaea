from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('adapters', '0010_families'),
    ]

    operations = [
        migrations.AlterField(
            model_name='basemodel',
            name='family',
            field=models.CharField(choices=[('starter', 'Proofsheet starter'), ('sd15', 'Stable Diffusion 1.5'), ('sd21', 'Stable Diffusion 2.1'), ('sdxl', 'Stable Diffusion XL'), ('flux', 'Flux'), ('sd3-medium', 'Stable Diffusion 3 Medium'), ('sd35-medium', 'Stable Diffusion 3.5 Medium'), ('sd35-large', 'Stable Diffusion 3.5 Large'), ('z-image', 'Z-Image')], max_length=16),
        ),
    ]
